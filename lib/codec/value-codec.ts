/**
 * The value encoding: recursive, tagged, deterministic (equal values give equal bytes; the order of properties is part of a value).
 * Chosen over JSON and v8.serialize in docs/decisions/0002-value-codec.md.
 *
 *   00 end of object   01 null   02 false   03 true   04 zigzag varint   05 float64 big-endian   06 UTF-8 (varint bytes)
 *   07 UTF-16LE (varint bytes; only for text with lone surrogates)   08 bigint >= 0, 09 bigint < 0 (varint bytes, magnitude)
 *   0A bytes (varint)   0B Date (float64 ms)   0C array (varint count)   0D object: (text, value)…, end
 *   40+n UTF-8 text of n < 64 bytes   80+n the integer n < 128
 */
import { MillraceError } from '../errors.ts';
import { describeType } from './key-codec.ts';
import { copyBytes } from './pair.ts';
import { PropertyNames } from './property-names.ts';
import { varintBytes, writeVarint } from './varint.ts';

export type Value =
  | null
  | boolean
  | number
  | string
  | bigint
  | Uint8Array
  | Date
  | readonly Value[]
  | { readonly [property: string]: Value | undefined };

export const valueTags = {
  end: 0x00,
  null: 0x01,
  false: 0x02,
  true: 0x03,
  integer: 0x04,
  float: 0x05,
  utf8: 0x06,
  utf16: 0x07,
  bigint: 0x08,
  negativeBigint: 0x09,
  bytes: 0x0a,
  date: 0x0b,
  array: 0x0c,
  object: 0x0d,
  shortText: 0x40,
  smallInteger: 0x80,
} as const;

const tags = valueTags;

/** Arrays and objects inside one another; a value that contains itself reaches it. */
export const valueDepthMax = 256;

const shortTextBytesMax = 63;
/** Zigzag doubles, so this keeps every step of it exact. */
const integerMax = 2 ** 51;
/** A scalar asks for this much room even when it needs less: one check instead of one per form. */
export const scalarBytesMax = 10;

const floatBytes = new Uint8Array(8);
const floatView = new DataView(floatBytes.buffer);
/** Property names and indexes on the way to the member being encoded, for the message that refuses it. */
const path: (string | number)[] = [];

/**
 * Writes `value` at `at` and returns the position after it, or -1 when it does not fit (then `target` may be dirty behind `at`);
 * up to ten bytes of room may be left unused. Throws `not-encodable`, naming the member, for what is no {@link Value}.
 */
export function encodeValue(value: unknown, target: Buffer, at: number): number {
  if (typeof value === 'number' && at + scalarBytesMax <= target.length) return putNumber(value, target, at);
  return put(value, target, at, 0);
}

/** {@link encodeValue} for the Uint8Array that is `bytes[start, end)`. */
export function encodeBytesSpan(
  bytes: Buffer,
  start: number,
  end: number,
  target: Buffer,
  at: number,
): number {
  const length = end - start;
  if (at + 1 + varintBytes(length) + length > target.length) return -1;
  target[at] = tags.bytes;
  const to = writeVarint(target, at + 1, length);
  copyBytes(bytes, start, end, target, to);
  return to + length;
}

/** The encoded value in bytes of its own: for tests and other places that are not per record. */
export function encodeValueToBytes(value: unknown): Buffer {
  for (let size = 256; ; size *= 8) {
    const target = Buffer.allocUnsafeSlow(size);
    const end = encodeValue(value, target, 0);
    if (end >= 0) return target.subarray(0, end);
  }
}

function put(value: unknown, target: Buffer, at: number, depth: number): number {
  if (typeof value === 'string') return putText(value, target, at);
  if (at + scalarBytesMax > target.length) return -1;
  switch (typeof value) {
    case 'number':
      return putNumber(value, target, at);
    case 'boolean':
      target[at] = value ? tags.true : tags.false;
      return at + 1;
    case 'bigint':
      return putBigint(value, target, at);
    case 'object':
      if (value !== null) return putObject(value, target, at, depth);
      target[at] = tags.null;
      return at + 1;
    default:
      throw notEncodable(`${typeof value} cannot be encoded`, depth);
  }
}

function putNumber(value: number, target: Buffer, at: number): number {
  if (Number.isInteger(value) && value <= integerMax && value >= -integerMax && !Object.is(value, -0)) {
    if (value >= 0 && value < 0x80) {
      target[at] = tags.smallInteger | value;
      return at + 1;
    }
    target[at] = tags.integer;
    return writeVarint(target, at + 1, value >= 0 ? value * 2 : -value * 2 - 1);
  }
  return putFloat(tags.float, value, target, at);
}

function putFloat(tag: number, value: number, target: Buffer, at: number): number {
  target[at] = tag;
  floatView.setFloat64(0, value);
  for (let index = 0; index < 8; index++) target[at + 1 + index] = floatBytes[index]!;
  return at + 9;
}

function putText(text: string, target: Buffer, at: number): number {
  const length = text.length;
  if (length <= shortTextBytesMax && at + 1 + length <= target.length) {
    let to = at + 1;
    let bits = 0;
    for (let index = 0; index < length; index++) {
      const char = text.charCodeAt(index);
      bits |= char;
      target[to++] = char;
    }
    if (bits < 0x80) {
      target[at] = tags.shortText | length;
      return to;
    }
  }
  if (!text.isWellFormed()) return putBytes(tags.utf16, Buffer.from(text, 'utf16le'), target, at);
  const bytes = Buffer.byteLength(text);
  if (at + 1 + varintBytes(bytes) + bytes > target.length) return -1;
  let to = at + 1;
  if (bytes <= shortTextBytesMax) target[at] = tags.shortText | bytes;
  else {
    target[at] = tags.utf8;
    to = writeVarint(target, to, bytes);
  }
  return to + target.write(text, to);
}

function putBytes(tag: number, bytes: Uint8Array, target: Buffer, at: number): number {
  if (at + 1 + varintBytes(bytes.length) + bytes.length > target.length) return -1;
  target[at] = tag;
  const to = writeVarint(target, at + 1, bytes.length);
  target.set(bytes, to);
  return to + bytes.length;
}

function putBigint(value: bigint, target: Buffer, at: number): number {
  const hex = (value < 0n ? -value : value).toString(16);
  const magnitude = value === 0n ? Buffer.alloc(0) : Buffer.from(hex.length & 1 ? `0${hex}` : hex, 'hex');
  return putBytes(value < 0n ? tags.negativeBigint : tags.bigint, magnitude, target, at);
}

function putObject(value: object, target: Buffer, at: number, depth: number): number {
  if (Array.isArray(value)) return putArray(value, target, at, depth);
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === Object.prototype || prototype === null) {
    return putMembers(value as Record<string, unknown>, target, at, depth);
  }
  if (value instanceof Uint8Array) return putBytes(tags.bytes, value, target, at);
  if (value instanceof Date) return putFloat(tags.date, value.getTime(), target, at);
  // An object literal of another realm.
  if (typeof prototype === 'object' && prototype !== null && Object.getPrototypeOf(prototype) === null) {
    return putMembers(value as Record<string, unknown>, target, at, depth);
  }
  throw notEncodable(`${describeType(value)} cannot be encoded`, depth);
}

function putArray(values: readonly unknown[], target: Buffer, at: number, depth: number): number {
  if (depth >= valueDepthMax) throw tooDeep(depth);
  target[at] = tags.array;
  let to = writeVarint(target, at + 1, values.length);
  for (let index = 0; index < values.length; index++) {
    path[depth] = index;
    to = put(values[index], target, to, depth + 1);
    if (to < 0) return -1;
  }
  return to;
}

function putMembers(members: Record<string, unknown>, target: Buffer, at: number, depth: number): number {
  if (depth >= valueDepthMax) throw tooDeep(depth);
  target[at] = tags.object;
  let to = at + 1;
  for (const name of Object.keys(members)) {
    const member = members[name];
    if (member === undefined) continue;
    path[depth] = name;
    to = putText(name, target, to);
    if (to < 0) return -1;
    to = put(member, target, to, depth + 1);
    if (to < 0) return -1;
  }
  if (to >= target.length) return -1;
  target[to] = tags.end;
  return to + 1;
}

/** `value.items[3].when` */
function pathText(depth: number): string {
  let text = 'value';
  for (const step of path.slice(0, depth)) {
    if (typeof step === 'number') text += `[${step}]`;
    else text += /^[A-Za-z_$][\w$]*$/.test(step) ? `.${step}` : `[${JSON.stringify(step)}]`;
  }
  return text;
}

function notEncodable(what: string, depth: number): MillraceError {
  return new MillraceError(
    'not-encodable',
    `${pathText(depth)} of type ${what}; values are null, boolean, number, string, bigint, Uint8Array, Date, arrays and plain objects of them`,
  );
}

function tooDeep(depth: number): MillraceError {
  return new MillraceError(
    'not-encodable',
    `the value is nested deeper than ${valueDepthMax}, or contains itself, at ${pathText(Math.min(depth, 4))}…`,
  );
}

/** The value encoded in `bytes[start, end)`; nothing of it shares memory with `bytes`. Throws `corrupt` for what is not one value. */
export function decodeValue(bytes: Buffer, start: number, end: number): Value {
  if (end - start === 1) {
    const tag = bytes[start]!;
    if (tag >= tags.smallInteger) return tag & 0x7f;
  }
  const reader = idleReader ?? new ValueReader();
  idleReader = undefined;
  reader.bytes = bytes;
  reader.at = start;
  reader.end = end;
  const value = reader.read(0);
  if (reader.at !== end) throw corruptValue(`${end - reader.at} bytes left over`);
  idleReader = reader;
  return value;
}

class ValueReader {
  bytes: Buffer = Buffer.alloc(0);
  at = 0;
  end = 0;
  readonly #names = new PropertyNames();

  read(depth: number): Value {
    const tag = this.bytes[this.#take(1)]!;
    if (tag >= tags.smallInteger) return tag & 0x7f;
    if (tag >= tags.shortText) return this.#text('utf8', tag & 0x3f);
    switch (tag) {
      case tags.null:
        return null;
      case tags.false:
        return false;
      case tags.true:
        return true;
      case tags.integer: {
        const zigzag = this.#varint();
        return zigzag % 2 === 0 ? zigzag / 2 : -(zigzag + 1) / 2;
      }
      case tags.float:
        return this.#float();
      case tags.utf8:
        return this.#text('utf8', this.#varint());
      case tags.utf16:
        return this.#text('utf16le', this.#varint());
      case tags.bigint:
        return this.#magnitude();
      case tags.negativeBigint:
        return -this.#magnitude();
      case tags.bytes:
        return this.#copy(this.#varint());
      case tags.date:
        return new Date(this.#float());
      case tags.array:
        return this.#array(depth);
      case tags.object:
        return this.#object(depth);
      default:
        throw corruptValue(`unknown tag ${tag}`);
    }
  }

  /** Moves on by `count` bytes and returns where they start. */
  #take(count: number): number {
    const start = this.at;
    if (start + count > this.end) throw corruptValue('it ends early');
    this.at = start + count;
    return start;
  }

  #varint(): number {
    let value = 0;
    for (let unit = 1; unit < 2 ** 56; unit *= 0x80) {
      const byte = this.bytes[this.#take(1)]!;
      value += (byte & 0x7f) * unit;
      if (byte < 0x80) return value;
    }
    throw corruptValue('a number of more than eight bytes');
  }

  #float(): number {
    const start = this.#take(8);
    for (let index = 0; index < 8; index++) floatBytes[index] = this.bytes[start + index]!;
    return floatView.getFloat64(0);
  }

  #text(encoding: 'utf8' | 'utf16le', length: number): string {
    const start = this.#take(length);
    return this.bytes.toString(encoding, start, start + length);
  }

  #copy(length: number): Uint8Array {
    const start = this.#take(length);
    return new Uint8Array(this.bytes.subarray(start, start + length));
  }

  #magnitude(): bigint {
    const length = this.#varint();
    return length === 0 ? 0n : BigInt(`0x${Buffer.from(this.#copy(length)).toString('hex')}`);
  }

  #array(depth: number): Value[] {
    if (depth >= valueDepthMax) throw corruptValue('it is nested too deep');
    const length = this.#varint();
    if (length > this.end - this.at) throw corruptValue('it ends early');
    const values: Value[] = [];
    for (let index = 0; index < length; index++) values.push(this.read(depth + 1));
    return values;
  }

  #object(depth: number): { readonly [property: string]: Value } {
    if (depth >= valueDepthMax) throw corruptValue('it is nested too deep');
    const members: Record<string, Value> = {};
    for (;;) {
      const tag = this.bytes[this.#take(1)]!;
      if (tag === tags.end) return members;
      const name = this.#name(tag);
      const value = this.read(depth + 1);
      if (name !== '__proto__') members[name] = value;
      // Assigned, it would set the prototype instead.
      else
        Object.defineProperty(members, name, { value, writable: true, enumerable: true, configurable: true });
    }
  }

  #name(tag: number): string {
    if (tag < tags.shortText) {
      if (tag === tags.utf8) return this.#text('utf8', this.#varint());
      if (tag === tags.utf16) return this.#text('utf16le', this.#varint());
    } else if (tag < tags.smallInteger) {
      const length = tag & 0x3f;
      return this.#names.get(this.bytes, this.#take(length), length);
    }
    throw corruptValue(`unknown tag ${tag} of a property name`);
  }
}

/** One reader, reused: it keeps the property names it has seen. */
let idleReader: ValueReader | undefined;

function corruptValue(what: string): MillraceError {
  return new MillraceError('corrupt', `an encoded value cannot be read: ${what}`);
}
