import { randomUUID } from 'node:crypto';
import { crc32, gunzipSync, zstdDecompressSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MillraceError } from '../../lib/errors.ts';
import type { OutputCompression, OutputFormat } from '../../lib/formats.ts';
import type { StagedPart } from '../../lib/job-spec.ts';
import { decodePart } from '../../lib/output/decode-part.ts';
import { MemoryStore } from '../../lib/store/memory-store.ts';
import type { Store } from '../../lib/store/store.ts';
import { createPartWriter } from './write-output.ts';

const tsv: OutputFormat = { kind: 'tsv', compression: 'none' };
const jsonl: OutputFormat = { kind: 'jsonl', compression: 'none' };
const lines: OutputFormat = { kind: 'lines', compression: 'none' };
const fixed = (bytes: number): OutputFormat => ({ kind: 'fixedLength', bytes, compression: 'none' });

interface Written {
  readonly part: StagedPart;
  readonly bytes: Buffer;
}

async function write(format: OutputFormat, records: readonly unknown[]): Promise<Written> {
  const store = new MemoryStore();
  const uri = `mem://${randomUUID()}/part-r-00000`;
  const writer = await createPartWriter({ store, key: 'part-r-00000', uri }, format, 'job');
  for (const record of records) await writer.write(record);
  const part = await writer.finish();
  await store.publish({ key: 'part-r-00000', token: part.token, bytes: part.bytes });
  const chunks: Uint8Array[] = [];
  for await (const chunk of store.read('part-r-00000')) chunks.push(chunk);
  expect(part.uri).toBe(uri);
  return { part, bytes: Buffer.concat(chunks) };
}

async function readBack({ part, bytes }: Written, format: OutputFormat, chunkBytes = 5): Promise<unknown[]> {
  const chunks = async function* () {
    for (let at = 0; at < bytes.length; at += chunkBytes) yield bytes.subarray(at, at + chunkBytes);
  };
  const records = [];
  for await (const record of decodePart(chunks(), format, part.columns)) records.push(record);
  return records;
}

const text = async (format: OutputFormat, records: readonly unknown[]) =>
  (await write(format, records)).bytes.toString();

describe('tsv', () => {
  test('writes fields as text', async () => {
    const records = [
      ['word', 3],
      ['big', 12345678901234567890n],
      [true, null, undefined],
      ['nested', { a: [1] }, new Date(0)],
      [new Uint8Array([1, 2, 255]), -0],
      'alone',
    ];
    expect(await text(tsv, records)).toBe(
      'word\t3\nbig\t12345678901234567890\ntrue\t\t\nnested\t{"a":[1]}\t"1970-01-01T00:00:00.000Z"\nAQL/\t-0\nalone\n',
    );
  });

  test('rows come back with the types of their columns', async () => {
    const records = [
      ['1', 1, 1n, true, { a: 1 }, new Uint8Array([7]), null],
      ['x', Number.NaN, -5n, false, [null, 'b'], null, null],
      ['', -0.5, null, null, null, new Uint8Array([8, 9]), null],
    ];
    const written = await write(tsv, records);
    expect(written.part.columns).toEqual(['string', 'number', 'bigint', 'boolean', 'json', 'bytes', 'json']);
    expect(await readBack(written, tsv)).toEqual(records);
  });

  test('single values come back as single values', async () => {
    expect(await readBack(await write(tsv, [1, 2.5, null]), tsv)).toEqual([1, 2.5, null]);
    expect(await readBack(await write(tsv, ['1', '\ufeff']), tsv)).toEqual(['1', '\ufeff']);
    expect(await readBack(await write(tsv, [['1'], ['2']]), tsv)).toEqual([['1'], ['2']]);
  });

  test('columns of numbers, booleans and objects come back as such, other mixtures as text', async () => {
    const written = await write(tsv, [
      [1, 'a', 1n, Number.NaN],
      [{ b: true }, 1, 1, true],
      [false, null, 2, 1],
    ]);
    expect(written.part.columns).toEqual(['json', 'string', 'string', 'string']);
    expect(await readBack(written, tsv)).toEqual([
      [1, 'a', '1', 'NaN'],
      [{ b: true }, '1', '1', 'true'],
      [false, '', '2', '1'],
    ]);
  });

  test('any strings and numbers come back, in any chunks', async () => {
    const field = fc
      .string({ unit: 'binary' })
      .map((value) => value.toWellFormed().replace(/[\t\n\r]/g, ' '));
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(field, fc.double())),
        fc.integer({ min: 1, max: 20 }),
        async (rows, chunkBytes) => {
          expect(await readBack(await write(tsv, rows), tsv, chunkBytes)).toEqual(rows);
        },
      ),
    );
  });

  test.each([
    ['a\tb', 'a tab'],
    ['a\nb', 'a newline'],
    ['a\rb', 'a carriage return'],
  ])('%j in a field is refused, naming the field', async (value, what) => {
    const writing = write(tsv, [['key', value]]);
    await expect(writing).rejects.toMatchObject({ code: 'not-encodable' });
    await expect(writing).rejects.toThrow(`field 2 holds ${what}, which tsv() cannot store; use jsonl()`);
  });

  test('what has no text is refused', async () => {
    await expect(write(tsv, [[]])).rejects.toThrow(/at least one field/);
    await expect(write(tsv, [['a', () => 1]])).rejects.toThrow(/field 2 is a function/);
    await expect(write(tsv, [['a', new Map()]])).rejects.toThrow(/Object.fromEntries/);
  });
});

describe('jsonl', () => {
  test('any JSON values come back, in any chunks', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.jsonValue()),
        fc.integer({ min: 1, max: 20 }),
        async (values, chunkBytes) => {
          const wanted = values.map((value) => JSON.parse(JSON.stringify(value)));
          expect(await readBack(await write(jsonl, values), jsonl, chunkBytes)).toEqual(wanted);
        },
      ),
    );
  });

  test('dates are ISO text', async () => {
    expect(await text(jsonl, [{ at: new Date(0) }])).toBe('{"at":"1970-01-01T00:00:00.000Z"}\n');
  });

  const cyclic: unknown[] = [];
  cyclic.push([cyclic]);
  test.each([
    [['k', { n: [1n] }], /the record\[1\]\["n"\]\[0\] is the bigint 1.*String\(value\)/],
    [new Uint8Array(2), /the record is a Uint8Array.*base64/],
    [['k', new Set([1])], /\[1\] is a Set.*\[\.\.\.set\]/],
    [undefined, /undefined has no JSON form/],
    [cyclic, /contains itself/],
  ])('%s is refused with the way out', async (record, message) => {
    const writing = write(jsonl, [record]);
    await expect(writing).rejects.toMatchObject({ code: 'not-encodable' });
    await expect(writing).rejects.toThrow(message);
  });
});

describe('lines', () => {
  test('writes values, and pairs without a value that says nothing', async () => {
    const records = [
      'a\tb',
      ['only'],
      ['k', null],
      ['k', ''],
      ['k', true],
      ['k', 'v'],
      ['k', 0],
      [7, { a: 1 }],
    ];
    const written = await write(lines, records);
    const wanted = ['a\tb', 'only', 'k', 'k', 'k', 'k\tv', 'k\t0', '7\t{"a":1}'];
    expect(written.bytes.toString()).toBe(`${wanted.join('\n')}\n`);
    expect(await readBack(written, lines)).toEqual(wanted);
  });

  test('carriage returns, byte order marks and empty lines come back', async () => {
    const records = ['\ufeffa\r', '', '\r', 'é'];
    expect(await readBack(await write(lines, records), lines, 1)).toEqual(records);
  });

  test('newlines, nulls and rows of three are refused', async () => {
    await expect(write(lines, ['a\nb'])).rejects.toThrow(/holds a newline.*jsonl/);
    await expect(write(lines, [null])).rejects.toThrow(/cannot write null/);
    await expect(write(lines, [['a', 'b', 'c']])).rejects.toThrow(/not 3 values/);
  });
});

describe('fixedLength', () => {
  test('writes bytes, or a key and a value together; they come back', async () => {
    const records = [new Uint8Array([1, 2, 3]), [new Uint8Array([4]), new Uint8Array([5, 6])]];
    const written = await write(fixed(3), records);
    expect([...written.bytes]).toEqual([1, 2, 3, 4, 5, 6]);
    const wanted = [new Uint8Array([1, 2, 3]), new Uint8Array([4, 5, 6])];
    expect(
      (await readBack(written, fixed(3), 2)).map((record) => new Uint8Array(record as Uint8Array)),
    ).toEqual(wanted);
  });

  test('a record that the caller changes afterwards was taken as it was', async () => {
    const reused = new Uint8Array([1, 2, 3]);
    const writer = await createPartWriter(
      { store: new MemoryStore(), key: 'p', uri: 'mem://x/p' },
      fixed(3),
      'job',
    );
    writer.write(reused);
    reused.fill(9);
    expect((await writer.finish()).crc32).toBe(crc32(Buffer.from([1, 2, 3])));
  });

  test('another length or type is refused', async () => {
    await expect(write(fixed(3), [new Uint8Array(4)])).rejects.toThrow(
      /has 4 bytes, fixedLength\(3\) needs 3/,
    );
    await expect(write(fixed(3), ['abc'])).rejects.toThrow(/takes a Uint8Array or a pair/);
  });
});

describe('a part', () => {
  const decoders = { none: (bytes: Buffer) => bytes, gzip: gunzipSync, zstd: zstdDecompressSync };

  test.each<OutputCompression>(['none', 'gzip', 'zstd'])(
    'with compression %s counts the stored bytes',
    async (compression) => {
      const format: OutputFormat = { ...tsv, compression };
      for (const count of [0, 1, 100_000]) {
        const records = Array.from({ length: count }, (_, index) => [`key ${index} é`, index]);
        const written = await write(format, records);
        const { part, bytes } = written;
        expect(part).toMatchObject({ bytes: bytes.length, records: count, crc32: crc32(bytes) });
        const wanted = records.map(([key, value]) => `${key}\t${value}\n`).join('');
        expect(decoders[compression](bytes).toString() === wanted).toBe(true);
        const back = await readBack(written, format, 65_536);
        expect(
          back.length === count && back.every((row, index) => String(row) === String(records[index])),
        ).toBe(true);
      }
    },
  );

  test('a damaged one is corrupt', async () => {
    for (const format of [
      { ...tsv, compression: 'gzip' },
      { ...jsonl, compression: 'zstd' },
      jsonl,
      fixed(3),
    ] as const) {
      const record = format.kind === 'fixedLength' ? new Uint8Array(3) : ['a', 1];
      const { part, bytes } = await write(format, [record]);
      const cut = { part, bytes: bytes.subarray(0, -1) };
      await expect(readBack(cut, format), JSON.stringify(format)).rejects.toMatchObject({ code: 'corrupt' });
    }
  });

  test('nothing is visible before it is published, nor after an abort', async () => {
    const store = new MemoryStore();
    const writer = await createPartWriter({ store, key: 'p', uri: 'mem://x/p' }, tsv, 'job');
    await writer.write('x');
    const { token, bytes } = await writer.finish();
    expect(await store.head('p')).toBeUndefined();
    await writer.abort();
    await expect(store.publish({ key: 'p', token, bytes })).rejects.toMatchObject({ code: 'not-found' });
  });

  test('write gives a promise when too much waits for the store, and only then', async () => {
    const held = heldStore();
    const writer = await createPartWriter({ store: held.store, key: 'p', uri: 'mem://x/p' }, lines, 'job');
    const line = 'x'.repeat(1024 * 1024 - 1);
    let waiting: Promise<void> | undefined;
    let count = 0;
    while (!waiting) {
      waiting = writer.write(line);
      count++;
    }
    expect(count).toBe(9);
    held.release();
    await waiting;
    expect(writer.write(line)).toBeUndefined();
    expect(await writer.finish()).toMatchObject({ records: 10, bytes: 10 * 1024 * 1024 });
  });

  test('an error of the store comes out of the next call, and abort cleans up', async () => {
    const held = heldStore(new MillraceError('no-space', 'the disk is full'));
    const writer = await createPartWriter({ store: held.store, key: 'p', uri: 'mem://x/p' }, lines, 'job');
    writer.write('x'.repeat(1024 * 1024));
    held.release();
    await expect(writer.finish()).rejects.toMatchObject({ code: 'no-space' });
    expect(() => writer.write('more')).toThrow(/disk is full/);
    await writer.abort();
    expect(held.aborted()).toBe(true);
  });
});

/** A store whose writes wait for `release`, and then fail when there is a failure. */
function heldStore(failure?: Error) {
  const { promise, resolve } = Promise.withResolvers<void>();
  let isAborted = false;
  let bytesWritten = 0;
  const stage: Store['stage'] = async () => ({
    token: 't',
    write: async (bytes) => {
      await promise;
      if (failure) throw failure;
      bytesWritten += bytes.length;
    },
    seal: async () => ({ key: 'p', token: 't', bytes: bytesWritten }),
    abort: async () => {
      isAborted = true;
    },
  });
  return { store: { stage } as Store, release: () => resolve(), aborted: () => isAborted };
}
