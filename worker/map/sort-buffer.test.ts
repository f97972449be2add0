import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeKey, encodeKeyToBytes, keyTags } from '../../lib/codec/key-codec.ts';
import { PairCursor, pairBytes, writePair } from '../../lib/codec/pair.ts';
import { decodeValue } from '../../lib/codec/value-codec.ts';
import { limits } from '../../lib/limits.ts';
import { createPartitioner } from './partition.ts';
import { SortBuffer } from './sort-buffer.ts';

const text = fc.oneof(
  fc.string({ unit: fc.constantFrom('\0', 'a', 'b'), maxLength: 4 }),
  fc
    .tuple(
      fc.constantFrom('https://example.com/', 'seven77', 'eight888'),
      fc.string({ unit: fc.constantFrom('\0', 'a', 'b'), maxLength: 12 }),
    )
    .map(([prefix, tail]) => prefix + tail),
);
const key = fc.oneof(
  { weight: 6, arbitrary: text },
  fc.integer({ min: -3, max: 3 }),
  fc.array(fc.constantFrom('a', '', 1), { maxLength: 3 }),
);

function read(buffer: SortBuffer): { partition: number; key: string; value: unknown }[] {
  const pairs = buffer.sorted();
  const list: { partition: number; key: string; value: unknown }[] = [];
  while (pairs.advance()) {
    list.push({
      partition: pairs.partition,
      key: pairs.bytes.toString('hex', pairs.keyStart, pairs.keyEnd),
      value: decodeValue(pairs.bytes, pairs.valueStart, pairs.valueEnd),
    });
  }
  return list;
}

describe('SortBuffer', () => {
  it('orders by partition, key bytes, then order of adding, in several fillings', () => {
    fc.assert(
      fc.property(fc.array(key, { maxLength: 400 }), fc.integer({ min: 1, max: 20 }), (keys, partitions) => {
        const partitioner = createPartitioner({ kind: 'hash' }, partitions);
        const buffer = new SortBuffer(partitioner, 64 * 1024);
        for (let filling = 0; filling < 2; filling++) {
          buffer.clear();
          for (const [index, each] of keys.entries()) expect(buffer.add(each, index)).toBe(true);
          const expected = keys
            .map((each, index) => ({ bytes: encodeKeyToBytes(each), value: index }))
            .map(({ bytes, value }) => ({
              partition: partitioner(bytes, 0, bytes.length, undefined),
              bytes,
              value,
            }))
            .sort(
              (a, b) => a.partition - b.partition || Buffer.compare(a.bytes, b.bytes) || a.value - b.value,
            )
            .map(({ partition, bytes, value }) => ({ partition, key: bytes.toString('hex'), value }));
          expect(read(buffer)).toEqual(expected);
        }
      }),
      { numRuns: 200 },
    );
  });

  it('sorts many keys that share prefixes of every length, some only prefixes or zeros apart', () => {
    const keys = Array.from(
      { length: 6000 },
      (_, index) => `${'p'.repeat((index * 7) % 40)}${'\0'.repeat(index % 3)}${(index * 7919) % 50}`,
    );
    keys.push(...Array.from({ length: 300 }, (_, index) => `zeros${'\0'.repeat((index * 31) % 300)}`));
    const buffer = new SortBuffer(() => 0, 1024 * 1024);
    for (const [index, each] of keys.entries()) expect(buffer.add(each, index)).toBe(true);
    const expected = keys
      .map((each, value) => ({ bytes: encodeKeyToBytes(each), value }))
      .sort((a, b) => Buffer.compare(a.bytes, b.bytes) || a.value - b.value)
      .map(({ value }) => value);
    expect(read(buffer).map(({ value }) => value)).toEqual(expected);
  });

  it('leaves its memory to the next buffer, if that may have so much, and only once', () => {
    const make = (MiB: number, from: number) => {
      const buffer = new SortBuffer(() => 0, MiB * 1024 * 1024);
      for (let index = from; index < from + 20_000; index++) buffer.add(`key ${index % 997}`, index);
      return buffer;
    };
    const old = make(4, 0);
    const wanted = read(old);
    old.close();
    old.close();
    const next = make(4, 0);
    const another = make(4, 20_000);
    expect(read(next)).toEqual(wanted);
    next.close();
    expect(read(make(2, 20_000))).toEqual(read(another));
    expect(old.add('too late', 1)).toBe(false);
  });

  it('takes records that lie in bytes as it takes their keys and values', () => {
    const bytesUpTo = (maxLength: number) => fc.uint8Array({ maxLength });
    const record = fc.record({
      key: fc.oneof(fc.string({ unit: 'binary', maxLength: 40 }), bytesUpTo(200)),
      value: fc.oneof(fc.constant(null), bytesUpTo(200)),
      before: bytesUpTo(5),
    });
    fc.assert(
      fc.property(
        fc.array(record, { maxLength: 100 }),
        fc.integer({ min: 1, max: 3 }),
        (records, partitions) => {
          const partitioner = createPartitioner({ kind: 'hash' }, partitions);
          const [whole, spans] = [
            new SortBuffer(partitioner, 64 * 1024),
            new SortBuffer(partitioner, 64 * 1024),
          ];
          for (const { key: each, value, before } of records) {
            whole.add(each, value);
            const bytes = Buffer.concat([before, Buffer.from(each as Uint8Array), value ?? before]);
            const tag = typeof each === 'string' ? keyTags.string : keyTags.bytes;
            const keyEnd = bytes.length - (value ?? before).length;
            expect(spans.addSpan(tag, bytes, before.length, keyEnd, value ? bytes.length : undefined)).toBe(
              true,
            );
          }
          expect(read(spans)).toEqual(read(whole));
        },
      ),
    );
  });

  it('refuses a key in bytes over the limit, naming it, and is full like for any other', () => {
    const bytes = Buffer.alloc(limits.keyBytesMax + 1);
    const buffer = new SortBuffer(() => 0, 4 * 1024 * 1024);
    expect(() => buffer.addSpan(keyTags.bytes, bytes, 0, bytes.length)).toThrow(
      /1048578, over the limit of 1048576/,
    );
    let records = 0;
    while (buffer.addSpan(keyTags.bytes, bytes, 0, bytes.length / 2, bytes.length)) records++;
    expect([records, buffer.records]).toEqual([3, 3]);
  });

  it('keeps the order of adding when all keys are equal, or agree in their first bytes', () => {
    for (const make of [() => 'same', (index: number) => `the same first bytes ${index % 3}`]) {
      const buffer = new SortBuffer(() => 0, 64 * 1024);
      for (let index = 0; index < 90; index++) buffer.add(make(index), index);
      const values = read(buffer).map(({ value }) => Number(value));
      const expected = Array.from({ length: 90 }, (_, index) => index);
      if (make(0) !== make(1)) expected.sort((a, b) => (a % 3) - (b % 3) || a - b);
      expect(values).toEqual(expected);
    }
  });

  it('loses and changes nothing when it fills up to its last byte, whatever the sizes', () => {
    const value = fc.oneof(
      fc.string({ maxLength: 30 }),
      fc.integer({ min: 100, max: 9000 }).map((size) => 'v'.repeat(size)),
      fc.constant(null),
    );
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.string({ maxLength: 200 }), value), { minLength: 50, maxLength: 150 }),
        fc.integer({ min: 1, max: 30_000 }),
        (pairs, bytes) => {
          const buffer = new SortBuffer(() => 0, bytes);
          const found: unknown[] = [];
          const take = () => {
            found.push(
              ...read(buffer).map((each) => [
                decodeKey(Buffer.from(each.key, 'hex'), 0, each.key.length / 2),
                each.value,
              ]),
            );
            buffer.clear();
          };
          for (const [each, given] of pairs) {
            if (buffer.add(each, given)) continue;
            take();
            expect(buffer.add(each, given)).toBe(true);
          }
          take();
          const text = (list: readonly unknown[]) => list.map((each) => JSON.stringify(each)).sort();
          expect(text(found)).toEqual(text(pairs));
        },
      ),
      { numRuns: 60 },
    );
  });

  it('takes pairs that are encoded already, and grows for one larger than itself', () => {
    const value = Buffer.alloc(9000, 1);
    const framed = Buffer.alloc(pairBytes(3, value.length));
    writePair(framed, 0, Buffer.from('abc'), value);
    const cursor = new PairCursor(framed);
    cursor.advance();
    const buffer = new SortBuffer(() => 0, 4096);
    expect(buffer.addEncoded(4, cursor)).toBe(true);
    let more = 0;
    while (buffer.addEncoded(3, cursor)) more++;
    const pairs = buffer.sorted();
    const partitions: number[] = [];
    while (pairs.advance()) {
      partitions.push(pairs.partition);
      expect(pairs.bytes.subarray(pairs.pairStart, pairs.valueEnd)).toEqual(framed);
    }
    expect(partitions).toEqual([...new Array<number>(more).fill(3), 4]);
  });

  it('refuses a pair over the limit and is not changed by what it refuses', () => {
    const buffer = new SortBuffer(createPartitioner({ kind: 'custom', partition: () => 9 }, 2), 4096);
    const plain = new SortBuffer(() => 0, 4096);
    expect(plain.add('a', 1)).toBe(true);
    expect(() => plain.add('b', { c: new Map() })).toThrow('value.c of type object (Map)');
    expect(plain.add('a', new Uint8Array(limits.pairBytesMax))).toBe(false);
    expect(read(plain).map(({ value }) => value)).toEqual([1]);
    plain.clear();
    expect(() => plain.add('a', new Uint8Array(limits.pairBytesMax))).toThrow(
      /pair has 167772\d\d bytes, over the limit of 16777216/,
    );
    expect(() => plain.add('a', new Uint8Array(limits.pairBytesMax * 3))).toThrow(
      'over the limit of 16777216',
    );
    expect(() => buffer.add('a', 1)).toThrow('partition returned 9; it must return an integer from 0 to 1');
    expect(buffer.records).toBe(0);
  });
});
