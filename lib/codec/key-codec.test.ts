import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { limits } from '../limits.ts';
import { decodeKey, encodeKey, encodeKeyToBytes, type Key } from './key-codec.ts';

const text = fc.string({
  unit: fc.oneof(
    fc.constantFrom('\0', 'a', 'b', '\u00ff', 'é', '𝒳', '\uffff'),
    fc.string({ minLength: 1, maxLength: 1 }),
  ),
});
const bytes = fc.uint8Array({ maxLength: 12 }).map((raw) => new Uint8Array(raw));
const number = fc.double({ noNaN: true }).map((value) => (value === 0 ? 0 : value));
const bigint = fc.oneof(fc.bigInt({ min: -300n, max: 300n }), fc.bigInt());
const scalar = fc.oneof(text, bytes, number, bigint, fc.boolean());
const key: fc.Arbitrary<Key> = fc.letrec<{ key: Key }>((tie) => ({
  key: fc.oneof({ maxDepth: 3 }, scalar, fc.array(tie('key'), { maxLength: 4 })),
})).key;

const typeOrder = (value: Key) =>
  Array.isArray(value)
    ? 5
    : value instanceof Uint8Array
      ? 4
      : ['boolean', 'number', 'bigint', 'string'].indexOf(typeof value);

/** The order that the encoding promises, written the slow way. */
function compareKeys(a: Key, b: Key): number {
  const types = typeOrder(a) - typeOrder(b);
  if (types !== 0) return Math.sign(types);
  if (Array.isArray(a) && Array.isArray(b)) {
    for (let index = 0; index < Math.min(a.length, b.length); index++) {
      const order = compareKeys(a[index], b[index]);
      if (order !== 0) return order;
    }
    return Math.sign(a.length - b.length);
  }
  if (typeof a === 'string' && typeof b === 'string') return Buffer.compare(Buffer.from(a), Buffer.from(b));
  if (a instanceof Uint8Array && b instanceof Uint8Array) return Buffer.compare(a, b);
  return a < b ? -1 : a > b ? 1 : 0;
}

describe('encodeKey', () => {
  it('brings every key back', () => {
    fc.assert(
      fc.property(key, (value) => {
        const encoded = encodeKeyToBytes(value);
        expect(decodeKey(encoded, 0, encoded.length)).toEqual(value);
      }),
      { numRuns: 1000 },
    );
  });

  it('orders encoded keys as their values: elements first, shorter tuples first, strings by UTF-8', () => {
    fc.assert(
      fc.property(key, key, (a, b) => {
        expect(Math.sign(Buffer.compare(encodeKeyToBytes(a), encodeKeyToBytes(b)))).toBe(compareKeys(a, b));
      }),
      { numRuns: 3000 },
    );
  });

  it('keeps tuples apart that differ only in where a zero byte stands', () => {
    const ordered: Key[] = [
      ['a'],
      ['a', ''],
      ['a', '\0'],
      ['a', 'b'],
      ['a\0'],
      ['a\0', 'b'],
      ['a\0\0'],
      ['aa'],
    ];
    const shuffled = [...ordered].reverse();
    shuffled.sort((a, b) => Buffer.compare(encodeKeyToBytes(a), encodeKeyToBytes(b)));
    expect(shuffled).toEqual(ordered);
  });

  it('orders bigints across the bounds of their length bytes', () => {
    const values = [
      0n,
      1n,
      255n,
      256n,
      1n << (8n * 254n - 1n),
      1n << (8n * 255n - 1n),
      1n << (8n * 256n),
      1n << (8n * 70_000n),
    ];
    const ordered: Key[] = [
      ...values
        .slice(1)
        .map((value) => -value)
        .reverse(),
      ...values,
    ];
    const encoded = ordered.map((value) => encodeKeyToBytes(value));
    expect([...encoded].sort(Buffer.compare)).toEqual(encoded);
    expect(encoded.map((each) => decodeKey(each, 0, each.length))).toEqual(ordered);
  });

  it('is frozen: the bytes of one key of each type', () => {
    const hex = (value: Key) => encodeKeyToBytes(value).toString('hex');
    expect(
      [
        false,
        true,
        0,
        -0,
        1,
        -1,
        Infinity,
        0n,
        1n,
        -1n,
        'aé',
        Uint8Array.of(0, 9),
        ['a\0', 1n, [Uint8Array.of(0)], true],
        [],
      ].map(hex),
    ).toEqual([
      '10',
      '11',
      '208000000000000000',
      '208000000000000000',
      '20bff0000000000000',
      '20400fffffffffffff',
      '20fff0000000000000',
      '3100',
      '310101',
      '30fefe',
      '4061c3a9',
      '500009',
      '60406100ff00310101605000ff000011' + '00',
      '6000',
    ]);
  });

  it('returns -1 for every room that is too small, and fits in exactly its size', () => {
    for (const value of [
      'héllo',
      'x'.repeat(60),
      'plain',
      3,
      5n,
      true,
      Uint8Array.of(1, 0),
      ['a\0b', [1n, false]],
    ] as Key[]) {
      const whole = encodeKeyToBytes(value);
      for (let room = 0; room < whole.length; room++)
        expect(encodeKey(value, Buffer.alloc(room + 3), 3)).toBe(-1);
      const exact = Buffer.alloc(whole.length + 3);
      expect(encodeKey(value, exact, 3)).toBe(whole.length + 3);
      expect(exact.subarray(3)).toEqual(whole);
    }
  });

  it('does not hand out the arena when it decodes a byte key', () => {
    const arena = Buffer.from(encodeKeyToBytes(Uint8Array.of(1, 2)));
    const decoded = decodeKey(arena, 0, arena.length);
    arena.fill(9);
    expect(decoded).toEqual(Uint8Array.of(1, 2));
  });

  it.each([
    [new Map(), 'object (Map)'],
    [{}, 'object (Object)'],
    [null, 'null'],
    [undefined, 'undefined'],
    [() => 1, 'function'],
    [['a', new Date()], 'object (Date)'],
  ])('refuses %o and names its type', (value, name) => {
    expect(() => encodeKeyToBytes(value as never)).toThrow(
      `a key of type ${name} cannot be encoded; keys are`,
    );
  });

  it('refuses NaN, lone surrogates and what is over the limit', () => {
    expect(() => encodeKeyToBytes(Number.NaN)).toThrow('NaN');
    expect(() => encodeKeyToBytes('a\ud800')).toThrow('lone surrogate');
    expect(() => encodeKeyToBytes(['a\udc00'])).toThrow('lone surrogate');
    expect(encodeKeyToBytes('x'.repeat(limits.keyBytesMax - 1)).length).toBe(limits.keyBytesMax);
    const parts = new Array<string>(5).fill('y'.repeat(limits.keyBytesMax / 4));
    for (const long of [
      'x'.repeat(limits.keyBytesMax),
      new Uint8Array(limits.keyBytesMax),
      1n << BigInt(8 * limits.keyBytesMax),
      parts,
    ]) {
      expect(() => encodeKeyToBytes(long)).toThrow(/over the limit of 1048576; use a shorter key/);
    }
  });

  it('refuses a tuple that contains itself', () => {
    const loop: Key[] = [];
    loop.push(loop);
    expect(() => encodeKeyToBytes(loop)).toThrow('nested deeper');
  });

  it('names corrupt bytes when it decodes', () => {
    for (const bad of [[], [0x99], [0x20, 1], [0x60, 0x40], [0x31, 2, 1], [0x11, 0]]) {
      expect(() => decodeKey(Buffer.from(bad), 0, bad.length)).toThrow('an encoded key cannot be read');
    }
  });
});
