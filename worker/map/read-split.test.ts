import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { InputFormat } from '../../lib/formats.ts';
import type { Split } from '../../lib/job-spec.ts';
import { createStores, type Stores } from '../../lib/store/resolve.ts';
import type { Store } from '../../lib/store/store.ts';
import { fileUri } from '../../lib/store/uri.ts';
import { type ReadSplitOptions, readSplit } from './read-split.ts';

const lines: InputFormat = { kind: 'lines' };
const jsonl: InputFormat = { kind: 'jsonl' };
const csv: InputFormat = { kind: 'csv', header: true, delimiter: ',', quotedNewlines: true };
const csvLines: InputFormat = { ...csv, quotedNewlines: false };
const fixed = (bytes: number): InputFormat => ({ kind: 'fixedLength', bytes });

/** Stores of one object, read in chunks of a chosen size. */
class OneObject implements Stores {
  readonly uri: string;
  readonly bytes: Buffer;
  readonly chunkBytes: number;

  constructor(content: string | Buffer, { name = 'input', chunkBytes = 7 } = {}) {
    this.uri = `mem://${name}`;
    this.bytes = Buffer.from(content);
    this.chunkBytes = chunkBytes;
  }

  locate(uri: string) {
    const { bytes, chunkBytes } = this;
    const read: Store['read'] = async function* (_key, { start = 0, end = bytes.length } = {}) {
      for (let at = start; at < Math.min(end, bytes.length); at += chunkBytes) {
        yield new Uint8Array(bytes.subarray(at, Math.min(at + chunkBytes, end)));
      }
    };
    return { uri, key: 'input', store: { read } as Store };
  }

  /** One split whose pieces end at `cuts`. */
  split(cuts: readonly number[] = []): Split {
    const total = this.bytes.length;
    const ends = [...new Set([...cuts.filter((cut) => cut > 0 && cut < total), total])].sort((a, b) => a - b);
    const pieces = ends.map((end, index) => ({
      uri: this.uri,
      start: ends[index - 1] ?? 0,
      end,
      objectBytes: total,
      etag: '',
    }));
    return { pieces, bytes: total, hosts: [] };
  }

  async read(format: InputFormat, cuts: readonly number[] = [], options: ReadSplitOptions = {}) {
    return await pull(this.split(cuts), format, this, options);
  }
}

interface Pulled {
  readonly record: unknown;
  readonly offset: number;
}

async function pull(
  split: Split,
  format: InputFormat,
  stores: Stores,
  options: ReadSplitOptions = {},
): Promise<Pulled[]> {
  const pulled: Pulled[] = [];
  for await (const batch of readSplit(split, format, stores, options)) {
    while (batch.next()) pulled.push({ record: batch.record, offset: batch.offset });
  }
  return pulled;
}

const records = (pulled: readonly Pulled[]) => pulled.map(({ record }) => record);

/** The plain way to cut a text into lines. */
function splitPlainly(bytes: Buffer): string[] {
  const text = new TextDecoder().decode(bytes);
  const found = text.split('\n');
  if (found.at(-1) === '') found.pop();
  const isCut = !text.endsWith('\n');
  return found.map((line, index) => (isCut && index === found.length - 1 ? line : line.replace(/\r$/, '')));
}

const textArbitrary = fc.string({
  unit: fc.constantFrom('a', 'b', '\n', '\n', '\r\n', '\r', 'é', '😀', ' ', '\ufeff', '\u2028'),
  maxLength: 60,
});
const cutsArbitrary = fc.array(fc.nat(120), { maxLength: 8 });
const chunkArbitrary = fc.integer({ min: 1, max: 40 });

describe('lines', () => {
  test('any text, any chunk size and any cut give the same lines as a plain split, each once', async () => {
    await fc.assert(
      fc.asyncProperty(textArbitrary, cutsArbitrary, chunkArbitrary, async (text, cuts, chunkBytes) => {
        const object = new OneObject(text, { chunkBytes });
        const pulled = await object.read(lines, cuts);
        expect(records(pulled)).toEqual(splitPlainly(object.bytes));
        for (const { record, offset } of pulled) {
          expect(object.bytes.subarray(offset).toString().startsWith(String(record))).toBe(true);
        }
      }),
      { numRuns: 1000 },
    );
  });

  test('any bytes decode as a plain decoder decodes them', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 40 }),
        cutsArbitrary,
        chunkArbitrary,
        async (bytes, cuts, chunkBytes) => {
          const object = new OneObject(Buffer.from(bytes), { chunkBytes });
          expect(records(await object.read(lines, cuts))).toEqual(splitPlainly(object.bytes));
        },
      ),
      { numRuns: 500 },
    );
  });

  test('pieces of one byte give every line once', async () => {
    const text = 'first\nsecond\n\nfourth é😀\r\nlast';
    const everywhere = Array.from({ length: 60 }, (_, index) => index);
    const wanted = ['first', 'second', '', 'fourth é😀', 'last'];
    expect(records(await new OneObject(text).read(lines, everywhere))).toEqual(wanted);
  });

  test('compressed text in any chunks gives the same lines', async () => {
    await fc.assert(
      fc.asyncProperty(textArbitrary, chunkArbitrary, fc.boolean(), async (text, chunkBytes, isGzip) => {
        const half = text.length >> 1;
        const compress = isGzip ? gzipSync : zstdCompressSync;
        const bytes = Buffer.concat(
          [text.slice(0, half), text.slice(half)].map((part) => compress(part.toWellFormed())),
        );
        const object = new OneObject(bytes, { name: isGzip ? 'a.gz' : 'a.zst', chunkBytes });
        const plain = Buffer.from(text.slice(0, half).toWellFormed() + text.slice(half).toWellFormed());
        expect(records(await object.read(lines))).toEqual(splitPlainly(plain));
      }),
      { numRuns: 100 },
    );
  });

  test('damaged compressed input names the object', async () => {
    const bytes = gzipSync('some lines\n'.repeat(100));
    const object = new OneObject(bytes.subarray(0, bytes.length - 3), { name: 'bucket/a.gz' });
    await expect(object.read(lines)).rejects.toMatchObject({
      code: 'malformed-record',
      uri: 'mem://bucket/a.gz',
    });
  });

  test('a line over the limit names the object, the offset and the limit', async () => {
    const object = new OneObject(`short\n${'x'.repeat(100)}\n`);
    const reading = object.read(lines, [], { recordBytesMax: 50 });
    await expect(reading).rejects.toMatchObject({ code: 'malformed-record', uri: object.uri, offset: 6 });
    await expect(reading).rejects.toThrow(/limit of 50 bytes/);
  });

  test('progress adds up to the bytes of the split, however it is cut', async () => {
    const object = new OneObject('line of text\n'.repeat(20));
    for (const cuts of [[], [1], [13, 14, 100], [50]]) {
      let bytes = 0;
      await object.read(lines, cuts, { onBytes: (count) => (bytes += count) });
      expect(bytes).toBe(object.bytes.length);
    }
  });

  test('an object that became shorter is input-changed', async () => {
    const object = new OneObject('one\ntwo\n');
    const split = new OneObject('one\ntwo\nthree\n').split();
    await expect(pull(split, lines, object)).rejects.toMatchObject({ code: 'input-changed' });
  });

  test('a stale etag is input-changed, and an aborted signal stops the reading', async () => {
    const uri = `mem://${randomUUID()}/a`;
    const stores = createStores();
    const { store, key } = stores.locate(uri);
    await store.putIfAbsent(key, Buffer.from('one\n'));
    const split = (etag: string): Split => ({
      pieces: [{ uri, start: 0, end: 4, objectBytes: 4, etag }],
      bytes: 4,
      hosts: [],
    });
    await expect(pull(split('other'), lines, stores)).rejects.toMatchObject({ code: 'input-changed' });
    const { etag = '' } = (await store.head(key)) ?? {};
    expect(records(await pull(split(etag), lines, stores))).toEqual(['one']);
    const aborted = pull(split(etag), lines, stores, { signal: AbortSignal.abort() });
    await expect(aborted).rejects.toMatchObject({ code: 'cancelled' });
  });

  test('several packed objects are read in order, each batch naming its own', async () => {
    const stores = createStores();
    const base = `mem://${randomUUID()}/`;
    const pieces = [];
    for (const name of ['a', 'b', 'c']) {
      await stores.locate(base).store.putIfAbsent(name, Buffer.from(`${name}1\n${name}2`));
      pieces.push({ uri: base + name, start: 0, end: 5, objectBytes: 5, etag: '' });
    }
    const found: string[] = [];
    for await (const batch of readSplit({ pieces, bytes: 15, hosts: [] }, lines, stores)) {
      while (batch.next()) found.push(`${batch.uri.slice(base.length)}:${batch.offset}:${batch.record}`);
    }
    expect(found).toEqual(['a:0:a1', 'a:3:a2', 'b:0:b1', 'b:3:b2', 'c:0:c1', 'c:3:c2']);
  });

  test('a file larger than a chunk, cut into splits, gives every line once', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'millrace-read-'));
    try {
      const wanted = Array.from({ length: 30_000 }, (_, index) => `line ${index} ${'é'.repeat(index % 40)}`);
      const path = join(folder, 'big.txt');
      await writeFile(path, `${wanted.join('\n')}\n`);
      const stores = createStores();
      const { store, key, uri } = stores.locate(fileUri(path));
      const { bytes = 0, etag = '' } = (await store.head(key)) ?? {};
      const splits = [0, 1, 2, 3].map((index): Split => {
        const [start, end] = [Math.floor((bytes * index) / 4), Math.floor((bytes * (index + 1)) / 4)];
        return { pieces: [{ uri, start, end, objectBytes: bytes, etag }], bytes: end - start, hosts: [] };
      });
      const found = [];
      for (const split of splits) found.push(...records(await pull(split, lines, stores)));
      expect(found).toEqual(wanted);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

describe('jsonl', () => {
  test('any values, any chunk size and any cut come back, blank lines skipped', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.jsonValue(), { maxLength: 8 }),
        cutsArbitrary,
        chunkArbitrary,
        async (values, cuts, chunkBytes) => {
          const texts = values.map((value) => JSON.stringify(value));
          const object = new OneObject(texts.join('\n \n\r\n'), { chunkBytes });
          expect(records(await object.read(jsonl, cuts))).toEqual(texts.map((text) => JSON.parse(text)));
        },
      ),
      { numRuns: 300 },
    );
  });

  test('a malformed line is named by object, line and offset, after the records before it', async () => {
    const object = new OneObject('{"a":1}\n\n{"a":2}\n{"a":\n{"a":4}\n', { chunkBytes: 1000 });
    for (const cuts of [[], [1], [10], [18], [9, 17, 18]]) {
      const seen: unknown[] = [];
      const reading = async () => {
        for await (const batch of readSplit(object.split(cuts), jsonl, object)) {
          while (batch.next()) seen.push(batch.record);
        }
      };
      await expect(reading()).rejects.toMatchObject({
        code: 'malformed-record',
        uri: object.uri,
        line: 4,
        offset: 17,
        message: expect.stringMatching(/not valid JSON.*mem:\/\/input, line 4, byte 17/),
      });
      expect(seen).toEqual([{ a: 1 }, { a: 2 }]);
    }
  });
});

describe.each([
  ['csv with quoted newlines', csv],
  ['csv without quoted newlines', csvLines],
] as const)('%s', (_name, format) => {
  const header = { ...format, header: true };
  const noHeader = { ...format, header: false };

  test('gives objects by header, or arrays', async () => {
    const object = new OneObject('\ufeffid,name\r\n1,one\r\n\r\n2,"two, ""2"""\r\n3,');
    expect(records(await object.read(header))).toEqual([
      { id: '1', name: 'one' },
      { id: '2', name: 'two, "2"' },
      { id: '3', name: '' },
    ]);
    expect(records(await object.read(noHeader))).toEqual([
      ['id', 'name'],
      ['1', 'one'],
      ['2', 'two, "2"'],
      ['3', ''],
    ]);
  });

  test('takes another delimiter, and a header alone gives no record', async () => {
    expect(records(await new OneObject('a;b\n1;2\n').read({ ...header, delimiter: ';' }))).toEqual([
      { a: '1', b: '2' },
    ]);
    expect(await new OneObject('a,b\n').read(header)).toEqual([]);
    expect(await new OneObject('').read(header)).toEqual([]);
  });

  test('a ragged row is named by object, line and offset', async () => {
    for (const [text, problem] of [
      ['a,b\n1,2\n3\n4,5\n', /the row has 1 fields, the (header|first row) has 2/],
      ['a,b\n1,2\n3,4,5\n', /the row has 3 fields/],
      ['a,b\n1,2\n"3"x,4\n', /[Qq]uote/],
      ['a,b\n1,2\n"3,4', /[Qq]uote/],
    ] as const) {
      for (const each of [header, noHeader]) {
        const reading = new OneObject(text).read(each);
        await expect(reading).rejects.toMatchObject({ code: 'malformed-record', line: 3, offset: 8 });
        await expect(reading).rejects.toThrow(problem);
      }
    }
  });

  test('a header with one name twice is refused in line 1', async () => {
    const reading = new OneObject('a,b,a\n1,2,3\n').read(header);
    await expect(reading).rejects.toMatchObject({
      line: 1,
      offset: 0,
      message: expect.stringMatching(/"a" twice/),
    });
  });
});

describe('csv', () => {
  const fieldArbitrary = fc.string({ unit: fc.constantFrom('a', 'é', ',', '"', ' ', ';'), maxLength: 4 });
  const tableArbitrary = (field: fc.Arbitrary<string>) =>
    fc
      .integer({ min: 2, max: 4 })
      .chain((width) =>
        fc.array(fc.array(field, { minLength: width, maxLength: width }), { minLength: 1, maxLength: 6 }),
      );
  const write = (rows: readonly (readonly string[])[]) =>
    rows.map((row) => `${row.map((field) => `"${field.replaceAll('"', '""')}"`).join(',')}\n`).join('');

  test('without quoted newlines, any table in any cut and chunks comes back as with them', async () => {
    await fc.assert(
      fc.asyncProperty(
        tableArbitrary(fieldArbitrary),
        cutsArbitrary,
        chunkArbitrary,
        async (rows, cuts, chunkBytes) => {
          const object = new OneObject(write(rows), { chunkBytes });
          expect(records(await object.read({ ...csvLines, header: false }, cuts))).toEqual(rows);
          expect(records(await object.read({ ...csv, header: false }))).toEqual(rows);
        },
      ),
      { numRuns: 300 },
    );
  });

  test('newlines inside quotes come back in any chunks', async () => {
    const field = fc.string({ unit: fc.constantFrom('a', '\n', '"', ',', '\r\n'), maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(tableArbitrary(field), chunkArbitrary, async (rows, chunkBytes) => {
        const object = new OneObject(write(rows), { chunkBytes });
        expect(records(await object.read({ ...csv, header: false }))).toEqual(rows);
      }),
      { numRuns: 200 },
    );
  });

  test('cut anywhere, also inside the header and blank lines before it, every row comes once with its header', async () => {
    const text = '\n\nid,name\n1,one\n2,two\n\n3,three\n';
    const wanted = [
      { id: '1', name: 'one' },
      { id: '2', name: 'two' },
      { id: '3', name: 'three' },
    ];
    for (let cut = 1; cut < text.length; cut++) {
      expect(records(await new OneObject(text).read(csvLines, [cut, cut + 5]))).toEqual(wanted);
    }
  });

  test('compressed csv is read the same in both ways', async () => {
    const object = new OneObject(gzipSync('id,name\n1,one\n'), { name: 'a.csv.gz' });
    expect(records(await object.read(csv))).toEqual([{ id: '1', name: 'one' }]);
    expect(records(await object.read(csvLines))).toEqual([{ id: '1', name: 'one' }]);
  });
});

describe('words', () => {
  test.each([
    ['punctuation', /[A-Za-z0-9\u{80}-\u{ff}]+/gu],
    ['whitespace', /[^\t-\r ]+/g],
  ] as const)(
    'separated by %s: any bytes, chunk size and cut give what the whole file gives, each once',
    async (separators, run) => {
      const unit = fc.oneof(
        fc.constantFrom(0x20, 0x0a, 0x2e, 0x61, 0x7a, 0x30, 0xc3, 0xa9, 0xef, 0xbb, 0xbf),
        fc.nat(255),
      );
      await fc.assert(
        fc.asyncProperty(
          fc.array(unit, { maxLength: 60 }),
          fc.boolean(),
          cutsArbitrary,
          chunkArbitrary,
          async (units, hasMark, cuts, chunkBytes) => {
            const object = new OneObject(Buffer.from([...(hasMark ? [0xef, 0xbb, 0xbf] : []), ...units]), {
              chunkBytes,
            });
            const skipped = object.bytes.subarray(0, 3).equals(Buffer.from('\ufeff')) ? 3 : 0;
            const wanted = [...object.bytes.toString('latin1', skipped).matchAll(run)].map((match) => ({
              record: Buffer.from(match[0], 'latin1').toString(),
              offset: match.index + skipped,
            }));
            expect(await object.read({ kind: 'words', separators }, cuts)).toEqual(wanted);
          },
        ),
        { numRuns: 1000 },
      );
    },
  );

  test('a word over the limit is refused by name', async () => {
    const reading = new OneObject('a '.repeat(50) + 'x'.repeat(60)).read(
      { kind: 'words', separators: 'punctuation' },
      [],
      { recordBytesMax: 50 },
    );
    await expect(reading).rejects.toThrow('a word is longer than the limit of 50 bytes');
  });
});

describe('wholeFile', () => {
  test('gives the text of each object, an empty one too', async () => {
    expect(records(await new OneObject('\ufeffone\r\ntwo é').read({ kind: 'wholeFile' }))).toEqual([
      'one\r\ntwo é',
    ]);
    expect(records(await new OneObject('').read({ kind: 'wholeFile' }))).toEqual(['']);
    const zipped = new OneObject(zstdCompressSync('text'), { name: 'a.zst' });
    expect(records(await zipped.read({ kind: 'wholeFile' }))).toEqual(['text']);
  });

  test('over the limit is refused', async () => {
    const reading = new OneObject('x'.repeat(51)).read({ kind: 'wholeFile' }, [], { recordBytesMax: 50 });
    await expect(reading).rejects.toThrow(/longer than the limit of 50 bytes/);
  });
});

describe('fixedLength', () => {
  test('gives every record once, in any chunks, with its offset; records stay as they are', async () => {
    const bytes = Buffer.from(Array.from({ length: 60 }, (_, index) => index));
    for (let chunkBytes = 1; chunkBytes < 65; chunkBytes++) {
      const pulled = await new OneObject(bytes, { chunkBytes }).read(fixed(5), [20, 25]);
      expect(pulled.map(({ offset }) => offset)).toEqual(Array.from({ length: 12 }, (_, index) => index * 5));
      expect(Buffer.concat(pulled.map(({ record }) => record as Uint8Array)).equals(bytes)).toBe(true);
    }
  });

  test('with a key a record is the pair of the key and the rest', async () => {
    const format: InputFormat = { kind: 'fixedLength', bytes: 5, keyBytes: 2 };
    const pulled = await new OneObject('aaBBBccDDD').read(format, [5]);
    const text = (part: unknown) => Buffer.from(part as Uint8Array).toString();
    expect(records(pulled).map((pair) => (pair as unknown[]).map(text))).toEqual([
      ['aa', 'BBB'],
      ['cc', 'DDD'],
    ]);
  });

  test('a rest at the end is malformed', async () => {
    const object = new OneObject(gzipSync(Buffer.alloc(13)), { name: 'a.gz' });
    await expect(object.read(fixed(5))).rejects.toMatchObject({ code: 'malformed-record', offset: 10 });
  });
});
