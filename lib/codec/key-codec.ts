/**
 * The order-preserving key encoding: comparing two encoded keys byte by byte orders them as their values. Frozen, because
 * partitions and the order of output rest on it.
 *
 *   boolean   10 | 11
 *   number    20, 8 bytes big-endian IEEE; sign bit flipped when positive, all bits flipped when negative
 *   bigint    30 (negative) | 31, length, magnitude big-endian; for negatives length and magnitude are complemented.
 *             The length is one byte below FF, else FF and four bytes.
 *   string    40, UTF-8
 *   bytes     50, as they are
 *   tuple     60, elements, 00. Strings and bytes inside have 00 written as 00 FF, and end with 00.
 */
import { MillraceError } from '../errors.ts';
import { checkLimit, limits } from '../limits.ts';
import { copyBytes } from './pair.ts';

export type Key = string | number | bigint | boolean | Uint8Array | readonly Key[];

export const keyTags = {
  end: 0x00,
  false: 0x10,
  true: 0x11,
  number: 0x20,
  negativeBigint: 0x30,
  bigint: 0x31,
  string: 0x40,
  bytes: 0x50,
  tuple: 0x60,
} as const;

const escaped = 0xff;
/** A char loop beats the call into native code up to about this many characters. */
const asciiLoopCharsMax = 48;
const tupleDepthMax = 64;
const keySetting = 'use a shorter key, or its hash, and carry the rest in the value';

const floatBytes = new Uint8Array(8);
const floatView = new DataView(floatBytes.buffer);

/**
 * Writes `key` at `at` and returns the position after it, or -1 when it does not fit (`target` may be dirty behind `at` then).
 * Throws `not-encodable` for what is no {@link Key} and `limit-exceeded` for one over `limits.keyBytesMax`.
 */
export function encodeKey(key: unknown, target: Buffer, at: number): number {
  if (typeof key === 'string') return encodeTopString(key, target, at);
  const end = encodeElement(key, target, at, 0);
  if (end - at > limits.keyBytesMax)
    checkLimit('the encoded key, in bytes,', end - at, limits.keyBytesMax, keySetting);
  return end;
}

/** Of the keys that are encoded as one byte and then what they consist of. */
export type SpanTag = typeof keyTags.string | typeof keyTags.bytes;

/** {@link encodeKey} for the text or bytes in `bytes[start, end)`; of text they must be the UTF-8. */
export function encodeKeySpan(
  tag: SpanTag,
  bytes: Buffer,
  start: number,
  end: number,
  target: Buffer,
  at: number,
): number {
  const encodedBytes = 1 + end - start;
  if (encodedBytes > limits.keyBytesMax)
    checkLimit('the encoded key, in bytes,', encodedBytes, limits.keyBytesMax, keySetting);
  if (at + encodedBytes > target.length) return -1;
  target[at] = tag;
  copyBytes(bytes, start, end, target, at + 1);
  return at + encodedBytes;
}

/** The encoded key in bytes of its own: for tests, cut points and other places that are not per record. */
export function encodeKeyToBytes(key: unknown): Buffer {
  for (let size = 256; ; size *= 8) {
    const target = Buffer.allocUnsafeSlow(size);
    const end = encodeKey(key, target, 0);
    if (end >= 0) return target.subarray(0, end);
    checkLimit('the encoded key, in bytes,', size, limits.keyBytesMax * 8, keySetting);
  }
}

/** A message part that names what was given instead of a key or value: `function`, `object (Map)`. */
export function describeType(value: unknown): string {
  if (value === null) return 'null';
  if (typeof value !== 'object') return typeof value;
  const name: unknown = Object.getPrototypeOf(value)?.constructor?.name;
  return typeof name === 'string' && name !== '' ? `object (${name})` : 'object';
}

function encodeTopString(key: string, target: Buffer, at: number): number {
  const length = key.length;
  if (length <= asciiLoopCharsMax && at + 1 + length <= target.length) {
    let to = at + 1;
    let bits = 0;
    for (let index = 0; index < length; index++) {
      const char = key.charCodeAt(index);
      bits |= char;
      target[to++] = char;
    }
    if (bits < 0x80) {
      target[at] = keyTags.string;
      return to;
    }
  }
  return encodeText(key, target, at);
}

function encodeText(text: string, target: Buffer, at: number): number {
  if (!text.isWellFormed()) {
    throw new MillraceError(
      'not-encodable',
      `a key with a lone surrogate (${JSON.stringify(text.slice(0, 40))}) cannot be encoded: it has no UTF-8 form`,
    );
  }
  const bytes = Buffer.byteLength(text);
  checkLimit('the encoded key, in bytes,', bytes + 1, limits.keyBytesMax, keySetting);
  if (at + 1 + bytes > target.length) return -1;
  target[at] = keyTags.string;
  return at + 1 + target.write(text, at + 1);
}

function encodeElement(key: unknown, target: Buffer, at: number, depth: number): number {
  switch (typeof key) {
    case 'number':
      return encodeNumber(key, target, at);
    case 'string':
      return escapeForTuple(target, at, encodeText(key, target, at));
    case 'boolean':
      if (at >= target.length) return -1;
      target[at] = key ? keyTags.true : keyTags.false;
      return at + 1;
    case 'bigint':
      return encodeBigint(key, target, at);
    default:
      if (key instanceof Uint8Array) {
        const end = encodeBytes(key, target, at);
        return depth === 0 ? end : escapeForTuple(target, at, end);
      }
      if (Array.isArray(key)) return encodeTuple(key, target, at, depth);
      throw new MillraceError(
        'not-encodable',
        `a key of type ${describeType(key)} cannot be encoded; keys are string, number, bigint, boolean, Uint8Array or a tuple of them`,
      );
  }
}

function encodeNumber(key: number, target: Buffer, at: number): number {
  if (at + 9 > target.length) return -1;
  if (Number.isNaN(key))
    throw new MillraceError('not-encodable', 'the key NaN cannot be encoded: it has no order');
  floatView.setFloat64(0, key === 0 ? 0 : key);
  const flip = floatBytes[0]! >= 0x80 ? 0xff : 0;
  target[at] = keyTags.number;
  target[at + 1] = floatBytes[0]! ^ (flip | 0x80);
  for (let index = 1; index < 8; index++) target[at + 1 + index] = floatBytes[index]! ^ flip;
  return at + 9;
}

function encodeBigint(key: bigint, target: Buffer, at: number): number {
  const negative = key < 0n;
  const hex = (negative ? -key : key).toString(16);
  const length = key === 0n ? 0 : (hex.length + 1) >> 1;
  const lengthBytes = length < 0xff ? 1 : 5;
  checkLimit('the encoded key, in bytes,', 1 + lengthBytes + length, limits.keyBytesMax, keySetting);
  const end = at + 1 + lengthBytes + length;
  if (end > target.length) return -1;
  target[at] = negative ? keyTags.negativeBigint : keyTags.bigint;
  if (lengthBytes === 1) target[at + 1] = length;
  else {
    target[at + 1] = 0xff;
    target.writeUInt32BE(length, at + 2);
  }
  if (length > 0) target.write(hex.length & 1 ? `0${hex}` : hex, at + 1 + lengthBytes, 'hex');
  if (negative) for (let index = at + 1; index < end; index++) target[index] = ~target[index]!;
  return end;
}

function encodeBytes(key: Uint8Array, target: Buffer, at: number): number {
  checkLimit('the encoded key, in bytes,', key.length + 1, limits.keyBytesMax, keySetting);
  const end = at + 1 + key.length;
  if (end > target.length) return -1;
  target[at] = keyTags.bytes;
  target.set(key, at + 1);
  return end;
}

function encodeTuple(key: readonly unknown[], target: Buffer, at: number, depth: number): number {
  if (depth >= tupleDepthMax) {
    throw new MillraceError(
      'not-encodable',
      `a key with tuples nested deeper than ${tupleDepthMax} cannot be encoded`,
    );
  }
  if (at >= target.length) return -1;
  target[at] = keyTags.tuple;
  let to = at + 1;
  for (const element of key) {
    to = encodeElement(element, target, to, depth + 1);
    if (to < 0) return -1;
  }
  if (to >= target.length) return -1;
  target[to] = keyTags.end;
  return to + 1;
}

/** Makes the raw text or bytes just written at `[at + 1, end)` fit for a tuple: 00 becomes 00 FF, and 00 ends it. */
function escapeForTuple(target: Buffer, at: number, end: number): number {
  if (end < 0) return -1;
  let zeros = 0;
  for (let index = at + 1; index < end; index++) if (target[index] === 0) zeros++;
  const escapedEnd = end + zeros;
  if (escapedEnd >= target.length) return -1;
  let to = escapedEnd;
  for (let from = end - 1; to > from + 1; from--) {
    if (target[from] === 0) target[--to] = escaped;
    target[--to] = target[from]!;
  }
  target[escapedEnd] = keyTags.end;
  return escapedEnd + 1;
}

/** The key encoded in `bytes[start, end)`; byte keys are copied. Throws `corrupt` for what {@link encodeKey} never writes. */
export function decodeKey(bytes: Buffer, start: number, end: number): Key {
  switch (bytes[start]) {
    case keyTags.string:
      return bytes.toString('utf8', start + 1, end);
    case keyTags.bytes:
      return new Uint8Array(bytes.subarray(start + 1, end));
    default: {
      const reader = new ElementReader(bytes, start, end);
      const key = reader.read();
      if (reader.at !== end) throw corruptKey(`${end - reader.at} bytes left over`);
      return key;
    }
  }
}

class ElementReader {
  readonly bytes: Buffer;
  at: number;
  readonly end: number;

  constructor(bytes: Buffer, start: number, end: number) {
    this.bytes = bytes;
    this.at = start;
    this.end = end;
  }

  read(): Key {
    const tag = this.bytes[this.take(1)];
    switch (tag) {
      case keyTags.false:
        return false;
      case keyTags.true:
        return true;
      case keyTags.number:
        return this.readNumber();
      case keyTags.negativeBigint:
        return this.readBigint(0xff);
      case keyTags.bigint:
        return this.readBigint(0);
      case keyTags.string:
        return this.readEscaped().toString('utf8');
      case keyTags.bytes:
        return new Uint8Array(this.readEscaped());
      case keyTags.tuple:
        return this.readTuple();
      default:
        throw corruptKey(`unknown tag ${tag}`);
    }
  }

  /** Moves on by `count` bytes and returns where they start. */
  take(count: number): number {
    const start = this.at;
    if (start + count > this.end) throw corruptKey('it ends early');
    this.at = start + count;
    return start;
  }

  readNumber(): number {
    const start = this.take(8);
    const positive = this.bytes[start]! >= 0x80;
    for (let index = 0; index < 8; index++)
      floatBytes[index] = this.bytes[start + index]! ^ (positive ? 0 : 0xff);
    if (positive) floatBytes[0] = floatBytes[0]! ^ 0x80;
    return floatView.getFloat64(0);
  }

  readBigint(flip: number): bigint {
    let length = this.bytes[this.take(1)]! ^ flip;
    if (length === 0xff) length = (this.bytes.readUInt32BE(this.take(4)) ^ (flip ? -1 : 0)) >>> 0;
    if (length === 0) return 0n;
    const start = this.take(length);
    const magnitude = Buffer.from(this.bytes.subarray(start, this.at));
    if (flip) for (let index = 0; index < length; index++) magnitude[index] = ~magnitude[index]!;
    const value = BigInt(`0x${magnitude.toString('hex')}`);
    return flip ? -value : value;
  }

  /** The bytes up to the ending 00, unescaped, as a copy. */
  readEscaped(): Buffer {
    const start = this.at;
    const text = Buffer.allocUnsafe(this.end - start);
    let length = 0;
    for (;;) {
      const byte = this.bytes[this.take(1)]!;
      if (byte !== 0) text[length++] = byte;
      else if (this.at < this.end && this.bytes[this.at] === escaped) {
        text[length++] = 0;
        this.at++;
      } else return text.subarray(0, length);
    }
  }

  readTuple(): Key[] {
    const elements: Key[] = [];
    while (this.at < this.end && this.bytes[this.at] !== keyTags.end) elements.push(this.read());
    this.take(1);
    return elements;
  }
}

function corruptKey(what: string): MillraceError {
  return new MillraceError('corrupt', `an encoded key cannot be read: ${what}`);
}
