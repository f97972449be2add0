import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeValue, encodeValue, encodeValueToBytes, type Value, valueDepthMax } from './value-codec.ts';

const text = fc.oneof(
  fc.string(),
  fc.string({ unit: 'binary' }),
  fc.constantFrom('\ud800', 'x'.repeat(63), 'x'.repeat(64), 'é'.repeat(100)),
);
const number = fc.oneof(
  fc.integer(),
  fc.integer({ min: -200, max: 200 }),
  fc.double(),
  fc.maxSafeInteger(),
  fc.constantFrom(
    -0,
    0,
    127,
    128,
    -1,
    2 ** 51,
    2 ** 51 + 1,
    -(2 ** 51),
    2 ** 53,
    Number.NaN,
    Number.POSITIVE_INFINITY,
  ),
);
const scalar = fc.oneof(
  fc.constant(null),
  fc.boolean(),
  number,
  text,
  fc.bigInt(),
  fc.uint8Array({ maxLength: 200 }).map((raw) => new Uint8Array(raw)),
  fc.date({ noInvalidDate: false }),
);
const name = fc.oneof(text, fc.constantFrom('id', 'name', '__proto__', 'constructor', '7', ''));
const value: fc.Arbitrary<Value> = fc.letrec<{ value: Value }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    scalar,
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(name, tie('value'), { maxKeys: 4, noNullPrototype: true }),
  ),
})).value;

function roundTrip(given: unknown): unknown {
  const encoded = encodeValueToBytes(given);
  return decodeValue(encoded, 0, encoded.length);
}

describe('encodeValue', () => {
  it('brings every value back, NaN, -0 and lone surrogates too', () => {
    fc.assert(
      fc.property(value, (given) => {
        // Not toStrictEqual, which a property named `constructor` confuses.
        expect(isDeepStrictEqual(roundTrip(given), given)).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });

  it('is deterministic and keeps the order of properties', () => {
    expect(encodeValueToBytes({ b: 1, a: [2] })).toEqual(encodeValueToBytes({ b: 1, a: [2] }));
    expect(Object.keys(roundTrip({ b: 1, a: 2, c: 3 }) as object)).toEqual(['b', 'a', 'c']);
  });

  it('is frozen: the bytes of one value of each form', () => {
    const hex = (given: unknown) => encodeValueToBytes(given).toString('hex');
    const given = [
      null,
      false,
      true,
      1,
      127,
      128,
      -1,
      0.5,
      -0,
      'aé',
      'x'.repeat(64),
      '\ud800',
      5n,
      -256n,
      Uint8Array.of(1, 2),
      new Date(0),
      [1, []],
      { a: 1, b: undefined },
    ];
    expect(given.map(hex)).toEqual([
      '01',
      '02',
      '03',
      '81',
      'ff',
      '048002',
      '0401',
      '053fe0000000000000',
      '058000000000000000',
      '4361c3a9',
      `0640${'78'.repeat(64)}`,
      '070200d8',
      '080105',
      '09020100',
      '0a020102',
      '0b0000000000000000',
      '0c02810c00',
      '0d41618100',
    ]);
  });

  it('drops undefined properties as JSON does', () => {
    expect(roundTrip({ a: 1, b: undefined })).toStrictEqual({ a: 1 });
  });

  it('gives __proto__ back as an own property and leaves prototypes alone', () => {
    const given = JSON.parse('{"__proto__": {"polluted": true}}') as object;
    const back = roundTrip(given) as Record<string, unknown>;
    expect(Object.hasOwn(back, '__proto__')).toBe(true);
    expect(Object.getPrototypeOf(back)).toBe(Object.prototype);
    expect(back.polluted).toBeUndefined();
  });

  it('does not hand out the arena', () => {
    const encoded = encodeValueToBytes(Uint8Array.of(1, 2));
    const back = decodeValue(encoded, 0, encoded.length);
    encoded.fill(9);
    expect(back).toStrictEqual(Uint8Array.of(1, 2));
  });

  class Point {
    x = 1;
  }
  it.each([
    [{ items: [1, 2, 3, { when: new Map() }] }, 'value.items[3].when of type object (Map) cannot be encoded'],
    [[undefined], 'value[0] of type undefined'],
    [undefined, 'value of type undefined'],
    [{ 'a b': () => 1 }, 'value["a b"] of type function'],
    [{ a: Symbol('s') }, 'value.a of type symbol'],
    [new Point(), 'value of type object (Point)'],
    [{ a: { b: 1 }, c: new Set() }, 'value.c of type object (Set)'],
    [new Array(1), 'value[0] of type undefined'],
  ])('refuses %o and names the member', (given, message) => {
    expect(() => encodeValueToBytes(given)).toThrow(message);
  });

  it('refuses what contains itself, and decodes the deepest that it takes', () => {
    const loop: Record<string, unknown> = {};
    loop.self = loop;
    expect(() => encodeValueToBytes(loop)).toThrow('contains itself, at value.self.self.self.self');
    let deep: unknown = 1;
    for (let depth = 0; depth < valueDepthMax; depth++) deep = [deep];
    expect(roundTrip(deep)).toStrictEqual(deep);
    expect(() => encodeValueToBytes([deep])).toThrow('nested deeper');
  });

  it('returns -1 for rooms that are too small and never writes over the end', () => {
    for (const given of [
      { a: 'bc', d: [1, -5, 0.5] },
      'é'.repeat(40),
      'x'.repeat(100),
      12n ** 60n,
      new Uint8Array(90),
      [[], {}],
      '\ud800',
    ]) {
      const whole = encodeValueToBytes(given);
      for (let room = 0; room < whole.length; room++)
        expect(encodeValue(given, Buffer.alloc(room), 0)).toBe(-1);
      expect(encodeValue(given, Buffer.alloc(whole.length + 10), 0)).toBe(whole.length);
    }
  });
});

describe('decodeValue', () => {
  it('throws corrupt, and nothing else, for any bytes that are not a value', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 20 }), (raw) => {
        const bytes = Buffer.from(raw);
        try {
          decodeValue(bytes, 0, bytes.length);
        } catch (error) {
          expect(error).toMatchObject({ code: 'corrupt' });
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('refuses every cut of an encoded value', () => {
    const encoded = encodeValueToBytes({ a: 'bc', d: [1, -5, 0.5, new Uint8Array(3)] });
    for (let end = 0; end < encoded.length; end++) {
      expect(() => decodeValue(encoded, 0, end)).toThrow('an encoded value cannot be read');
    }
  });
});
