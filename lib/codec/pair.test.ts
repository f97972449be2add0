import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareBytes, PairCursor, pairBytes, writePair } from './pair.ts';
import { varintBytes, writeVarint } from './varint.ts';

const chunk = fc.oneof(
  fc.uint8Array({ maxLength: 8 }),
  fc.integer({ min: 120, max: 20_000 }).map((size) => new Uint8Array(size).fill(7)),
);
const pairs = fc.array(fc.tuple(chunk, chunk), { maxLength: 8 });

function frame(list: readonly (readonly [Uint8Array, Uint8Array])[]): Buffer {
  const target = Buffer.alloc(
    list.reduce((sum, [key, value]) => sum + pairBytes(key.length, value.length), 0),
  );
  let at = 0;
  for (const [key, value] of list) at = writePair(target, at, key, value);
  expect(at).toBe(target.length);
  return target;
}

describe('PairCursor', () => {
  it('reads back what was framed', () => {
    fc.assert(
      fc.property(pairs, (list) => {
        const framed = frame(list);
        const cursor = new PairCursor(framed);
        const read: [Uint8Array, Uint8Array][] = [];
        let at = 0;
        while (cursor.advance()) {
          expect(cursor.pairStart).toBe(at);
          at = cursor.valueEnd;
          read.push([
            new Uint8Array(framed.subarray(cursor.keyStart, cursor.keyEnd)),
            new Uint8Array(framed.subarray(cursor.valueStart, cursor.valueEnd)),
          ]);
        }
        expect(read).toEqual(list.map(([key, value]) => [new Uint8Array(key), new Uint8Array(value)]));
      }),
      { numRuns: 200 },
    );
  });

  it('refuses a cut at every byte, and says so without moving when asked to try', () => {
    const framed = frame([[new Uint8Array(200), new Uint8Array(300)]]);
    for (let end = 1; end < framed.length; end++) {
      const cursor = new PairCursor(framed, 0, end);
      expect(cursor.tryAdvance()).toBe(false);
      expect(cursor.next).toBe(0);
      expect(() => cursor.advance()).toThrow('runs over the end');
    }
  });

  it('does not read lengths from behind its end', () => {
    const framed = frame([
      [new Uint8Array(1), new Uint8Array(1)],
      [new Uint8Array(200), new Uint8Array(0)],
    ]);
    expect(new PairCursor(framed, 0, 4).advance()).toBe(true);
    expect(new PairCursor(framed, 4, 5).tryAdvance()).toBe(false);
  });
});

describe('compareBytes', () => {
  it('agrees with Buffer.compare', () => {
    const small = fc.uint8Array({ maxLength: 4, max: 3 });
    fc.assert(
      fc.property(small, small, (a, b) => {
        expect(Math.sign(compareBytes(a, 0, a.length, b, 0, b.length))).toBe(Buffer.compare(a, b));
      }),
    );
  });
});

describe('writeVarint', () => {
  it.each([0, 127, 128, 16_383, 16_384, 2 ** 31 - 1, 2 ** 31, 2 ** 32, 2 ** 45 + 12_345, 2 ** 53 - 1])(
    'writes %d in the bytes announced',
    (value) => {
      const target = new Uint8Array(10);
      const end = writeVarint(target, 0, value);
      expect(end).toBe(varintBytes(value));
      let read = 0n;
      for (let at = end - 1; at >= 0; at--) read = (read << 7n) | BigInt(target[at]! & 0x7f);
      expect(Number(read)).toBe(value);
      expect(target[end - 1]! < 0x80).toBe(true);
    },
  );
});
