import { setImmediate } from 'node:timers/promises';
import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { recordOfPair } from '../../lib/codec/decode-pair.ts';
import { encodeKeyToBytes, type Key } from '../../lib/codec/key-codec.ts';
import type { EncodedPair } from '../../lib/codec/pair.ts';
import { encodeValueToBytes } from '../../lib/codec/value-codec.ts';
import type { OutputFormat } from '../../lib/formats.ts';
import type { Store } from '../../lib/store/store.ts';
import { createPartWriter } from './write-output.ts';

const formats: readonly OutputFormat[] = [
  { kind: 'tsv', compression: 'none' },
  { kind: 'jsonl', compression: 'none' },
  { kind: 'lines', compression: 'none' },
  { kind: 'lines', compression: 'gzip' },
  { kind: 'fixedLength', bytes: 4, compression: 'none' },
];

type Pair = readonly [Key, unknown];

function encode([key, value]: Pair): EncodedPair {
  const before = Buffer.from([1, 2, 3]);
  const [keyBytes, valueBytes] = [encodeKeyToBytes(key), encodeValueToBytes(value)];
  const keyEnd = before.length + keyBytes.length;
  const bytes = Buffer.concat([before, keyBytes, valueBytes, before]);
  return { bytes, keyStart: before.length, keyEnd, valueEnd: keyEnd + valueBytes.length };
}

/** Looks at what it is given as late as it may. */
function lateStore() {
  const chunks: Buffer[] = [];
  const stage: Store['stage'] = async () => ({
    token: 't',
    write: async (bytes) => {
      await setImmediate();
      chunks.push(Buffer.from(bytes));
    },
    seal: async () => ({ key: 'p', token: 't', bytes: Buffer.concat(chunks).length }),
    abort: async () => undefined,
  });
  return { store: { stage } as Store, chunks };
}

/** What becomes of a part: its bytes and what is said about it, or the error. */
async function partOf(format: OutputFormat, pairs: readonly Pair[], isPair: (index: number) => boolean) {
  const { store, chunks } = lateStore();
  const writer = await createPartWriter({ store, key: 'p', uri: 'mem://x/p' }, format, 'job');
  try {
    for (const [index, pair] of pairs.entries()) {
      const encoded = encode(pair);
      await (isPair(index) ? writer.writePair(encoded) : writer.write(recordOfPair(encoded)));
      encoded.bytes.fill(0);
    }
    const part = await writer.finish();
    const bytes = Buffer.concat(chunks);
    expect(part.crc32).toBe(crc32(bytes));
    return { part, hex: bytes.toString('hex') };
  } catch (thrown) {
    return { error: (thrown as Error).message };
  }
}

const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 60 }).map((each) => each.toWellFormed()),
  fc.string({ maxLength: 100 }).map((each) => each.replace(/[\t\n\r]/g, ' ')),
  fc.constantFrom('', '\t', '\n', 'a\r', '"', '\\', '\u0001', '\u2028é', `${'x'.repeat(80)}\n`),
);
const number = fc.oneof(
  fc.integer(),
  fc.double({ noNaN: true }),
  fc.constantFrom(0, 127, 128, 2 ** 53, 1e21, 1e-7),
);
const scalarKey = fc.oneof(text, number, fc.boolean(), fc.bigInt(), fc.uint8Array({ maxLength: 5 }));
const anyKey: fc.Arbitrary<Key> = fc.oneof(
  { weight: 8, arbitrary: scalarKey },
  { weight: 1, arbitrary: fc.tuple(text, number) },
);
const anyValue = fc.oneof(
  { weight: 4, arbitrary: fc.oneof(text, number, fc.constantFrom(null, true, false, Number.NaN, -0)) },
  fc.uint8Array({ maxLength: 5 }),
  fc.constantFrom(Number.POSITIVE_INFINITY, 5n, new Date(0), '\ud800', [1], { a: 'b' }),
);
/** Pairs that most formats hold, so that a part gets long; and any. */
const plainPair: fc.Arbitrary<Pair> = fc.tuple(
  fc.string({ maxLength: 40 }),
  fc.oneof(fc.integer(), fc.string({ maxLength: 40 })),
);
const bytesPair: fc.Arbitrary<Pair> = fc
  .tuple(fc.uint8Array({ minLength: 4, maxLength: 4 }), fc.nat(4))
  .map(([bytes, cut]) => [bytes.slice(0, cut), cut === 4 ? null : bytes.slice(cut)]);
const pairs = fc.oneof(
  fc.array(plainPair),
  fc.array(bytesPair),
  fc.array(fc.tuple(anyKey, anyValue), { maxLength: 6 }),
);

describe('writePair', () => {
  test.each(formats)(
    '$kind, $compression: the same bytes, columns and errors as the record',
    async (format) => {
      await fc.assert(
        fc.asyncProperty(pairs, fc.array(fc.boolean()), async (given, choices) => {
          const wanted = await partOf(format, given, () => false);
          expect(await partOf(format, given, () => true)).toEqual(wanted);
          expect(await partOf(format, given, (index) => choices[index] ?? true)).toEqual(wanted);
        }),
        { numRuns: 400 },
      );
    },
  );

  test('a part of many blocks, with pairs larger than one and pairs that need to be decoded, is whole', async () => {
    const given = Array.from({ length: 30_000 }, (_, index): Pair => {
      if (index % 9_000 === 4_000) return [`large ${index}`, 'y'.repeat(1_300_000)];
      return [`key ${index}`, index % 5_000 === 0 ? { n: index } : 'x'.repeat(index % 300)];
    });
    for (const format of formats.slice(0, 3)) {
      const wanted = await partOf(format, given, () => false);
      expect(wanted.part?.bytes).toBeGreaterThan(8_000_000);
      const got = await partOf(format, given, () => true);
      expect(got.part).toEqual(wanted.part);
      expect(got.hex === wanted.hex).toBe(true);
    }
  });
});
