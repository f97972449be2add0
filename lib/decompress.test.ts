import { gzipSync, zstdCompressSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { decompress } from './decompress.ts';
import { MalformedRecordError } from './malformed-record.ts';

async function* inChunks(bytes: Buffer, chunkBytes: number) {
  for (let at = 0; at < bytes.length; at += chunkBytes) yield bytes.subarray(at, at + chunkBytes);
}

async function run(kind: 'gzip' | 'zstd', bytes: Buffer, chunkBytes: number): Promise<Buffer> {
  const out: Uint8Array[] = [];
  for await (const chunk of decompress(inChunks(bytes, chunkBytes), kind, 'file:///a')) out.push(chunk);
  return Buffer.concat(out);
}

const encoders = { gzip: gzipSync, zstd: zstdCompressSync };

describe.each(['gzip', 'zstd'] as const)('%s', (kind) => {
  const encode = (text: string | Buffer) => encoders[kind](Buffer.from(text));
  const [hello, world, empty] = [encode('hello '), encode('world'), encode('')];
  const chunkSizes = [1, 2, 7, hello.length, hello.length + 1, 1_000_000];

  test.each(chunkSizes)('joins all members, in chunks of %i bytes', async (chunkBytes) => {
    for (const parts of [[hello, world], [hello, empty, world], [hello, hello, hello, world], [world]]) {
      const wanted = parts
        .map((part) => (part === hello ? 'hello ' : part === world ? 'world' : ''))
        .join('');
      expect((await run(kind, Buffer.concat(parts), chunkBytes)).toString()).toBe(wanted);
    }
  });

  test.each(chunkSizes)(
    'a truncated member is an error wherever it ends, in chunks of %i bytes',
    async (chunkBytes) => {
      for (let cut = 1; cut < world.length; cut++) {
        const bytes = Buffer.concat([hello, world.subarray(0, cut)]);
        await expect(run(kind, bytes, chunkBytes), `cut at ${cut}`).rejects.toThrow(MalformedRecordError);
        await expect(run(kind, world.subarray(0, cut), chunkBytes)).rejects.toThrow(MalformedRecordError);
      }
    },
  );

  test.each(chunkSizes)(
    'garbage behind or instead of the data is an error, in chunks of %i bytes',
    async (chunkBytes) => {
      for (const bytes of [Buffer.concat([hello, Buffer.from('garbage!')]), Buffer.from('plain text')]) {
        await expect(run(kind, bytes, chunkBytes)).rejects.toMatchObject({
          code: 'malformed-record',
          uri: 'file:///a',
          message: expect.stringContaining(`the ${kind} data is damaged or cut short`),
        });
      }
    },
  );

  test('large and dense data comes out whole', async () => {
    const large = Buffer.alloc(20_000_000, 'abcdefghijklmnopqrstuvwxyz\n');
    expect((await run(kind, encode(large), 100_000)).equals(large)).toBe(true);
  });

  test('an empty object is empty', async () => {
    expect(await run(kind, Buffer.alloc(0), 10)).toHaveLength(0);
  });

  test('an error of the source is passed on as it is, and stopping early ends cleanly', async () => {
    const failing = async function* () {
      yield hello;
      throw new RangeError('the source');
    };
    const reading = async () => {
      for await (const _ of decompress(failing(), kind, 'a'));
    };
    await expect(reading()).rejects.toThrow(RangeError);
    for await (const chunk of decompress(inChunks(encode(Buffer.alloc(9_000_000)), 1000), kind, 'a')) {
      expect(chunk.length).toBeGreaterThan(0);
      break;
    }
  });
});

test.each([1, 5, 1000])(
  'zero padding behind and between gzip members is skipped, in chunks of %i',
  async (chunkBytes) => {
    const bytes = Buffer.concat([gzipSync('a'), Buffer.alloc(9), gzipSync('b'), Buffer.alloc(40_000)]);
    expect((await run('gzip', bytes, chunkBytes)).toString()).toBe('ab');
  },
);
