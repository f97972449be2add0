import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeKey, encodeKeyToBytes } from '../../lib/codec/key-codec.ts';
import { decodeValue } from '../../lib/codec/value-codec.ts';
import { CombineTable } from './combine-table.ts';

function read(table: CombineTable): Map<string, unknown> {
  expect(table.settle()).toBe(true);
  const entries = table.entries();
  const found = new Map<string, unknown>();
  while (entries.advance()) {
    const name = entries.bytes.toString('hex', entries.keyStart, entries.keyEnd);
    expect(found.has(name)).toBe(false);
    expect(() => decodeKey(entries.bytes, entries.keyStart, entries.keyEnd)).not.toThrow();
    found.set(name, decodeValue(entries.bytes, entries.valueStart, entries.valueEnd));
  }
  return found;
}

const hex = (key: unknown) => encodeKeyToBytes(key).toString('hex');

/** Lengths around 3, 7, 15 and 16 characters, where words and the inline key end; zeros at the end; other types. */
const key = fc.oneof(
  fc.string({ unit: fc.constantFrom('\0', 'a'), maxLength: 18 }),
  fc.string({ unit: fc.constantFrom('\0', 'é', '\u0100'), maxLength: 9 }),
  fc.integer({ min: -2, max: 2 }),
  fc.array(fc.constantFrom('a', 1), { maxLength: 3 }),
  fc.constantFrom('x'.repeat(5000), 'y'.repeat(100)),
);

describe('CombineTable', () => {
  it('holds one state per key, found again by keys of every length and type', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(key, fc.integer()), { maxLength: 300 }), (pairs) => {
        const table = new CombineTable('sum');
        const expected = new Map<string, number>();
        for (const [each, value] of pairs) {
          expect(table.add(each, value)).toBe(true);
          expected.set(hex(each), (expected.get(hex(each)) ?? 0) + value);
        }
        expect(read(table)).toEqual(expected);
        expect(table.adds).toBe(pairs.length);
        expect(table.keys).toBe(expected.size);
        table.clear();
        expect(read(table).size).toBe(0);
      }),
      { numRuns: 200 },
    );
  });

  it('keeps everything while it grows', () => {
    const table = new CombineTable('count');
    for (let round = 0; round < 2; round++) {
      for (let index = 0; index < 20_000; index++) {
        table.add(`word${index}`, 1);
        if (index % 5 === 0) table.add(`a key that is not inline ${index}`, 1);
      }
    }
    const found = read(table);
    expect(found.size).toBe(24_000);
    expect(new Set(found.values())).toEqual(new Set([2]));
    expect(found.get(hex('word19999'))).toBe(2);
    expect(found.get(hex('a key that is not inline 19995'))).toBe(2);
  });

  it('is full when its slots or its arena are, and holds all that it took when what waits is settled after a clear', () => {
    for (const name of ['short', 'a long key that goes to the arena ']) {
      const table = new CombineTable('sum', 1);
      let keys = 0;
      while (table.add(`${name}${keys}`, 1)) keys++;
      expect(keys).toBeGreaterThan(50);
      expect(keys).toBeLessThan(1024);
      const isSettled = table.settle();
      expect(isSettled).toBe(name !== 'short');
      const before = isSettled ? keys : table.keys;
      expect(table.keys).toBe(before);
      table.clear();
      expect(read(table).size).toBe(keys - before);
    }
  });

  it('still takes values of keys that it has when it is full', () => {
    const table = new CombineTable('sum', 1);
    for (let key = 0; table.add(`a key that goes to the arena ${key}`, 1); key++);
    expect(table.add('a key that goes to the arena 0', 41)).toBe(true);
    expect(read(table).get(hex('a key that goes to the arena 0'))).toBe(42);
  });

  it.each([
    ['sum', [-0], -0],
    ['min', [4, -2, 3], -2],
    ['max', [4, -2, 30], 30],
    ['count', [4, -2, 30], 3],
    ['max', [1, Number.NaN, 2], Number.NaN],
    ['sum', [2 ** 52, 2 ** 52 - 1], 2 ** 53 - 1],
  ] as const)('%s of %j', (op, values, expected) => {
    const table = new CombineTable(op);
    for (const value of values) table.add('key', value);
    expect([...read(table).values()]).toEqual([expected]);
  });

  it('leaves its memory, and nothing of what was in it, to the next one that may be as large', () => {
    const first = new CombineTable('sum');
    for (let key = 0; key < 5000; key++) first.add(`word${key}`, 1);
    first.settle();
    first.close();
    first.close();
    const small = new CombineTable('sum', 1);
    let keys = 0;
    while (small.add(`${keys}`, 1)) keys++;
    expect(keys).toBeLessThan(1024);
    const second = new CombineTable('sum');
    expect(read(second).size).toBe(0);
    second.add('word0', 1);
    expect(read(second)).toEqual(new Map([[hex('word0'), 1]]));
  });

  it('refuses what cannot be a key', () => {
    expect(() => new CombineTable('sum').add(Number.NaN, 1)).toThrow('NaN');
    expect(() => new CombineTable('sum').add('a\ud800', 1)).toThrow('lone surrogate');
  });
});
