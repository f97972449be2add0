/**
 * How one record lies in arenas, segments, files and on the wire:
 * varint key length, varint value length, key bytes, value bytes.
 */
import { MillraceError } from '../errors.ts';
import { varintBytes, writeVarint } from './varint.ts';

const inPlaceBytesMax = 32;

/** Where an encoded pair lies; its value follows its key. */
export interface EncodedPair {
  readonly bytes: Buffer;
  readonly keyStart: number;
  readonly keyEnd: number;
  readonly valueEnd: number;
}

/**
 * A position in a stream of pairs: after `advance()` returned true the fields say where the current pair lies in `bytes`. Nothing is
 * allocated per pair; the bytes may be overwritten by the next `advance()`, so what outlives it must be copied.
 */
export interface PairStream extends EncodedPair {
  /** Where the framed pair begins; it ends at `valueEnd`. */
  readonly pairStart: number;
  readonly valueStart: number;
  /** Moves to the next pair; false at the end. */
  advance(): boolean;
}

/** Pairs by partition, then key. */
export interface PartitionedPairs extends PairStream {
  /** Of the current pair. */
  readonly partition: number;
}

/** The bytes of a framed pair. */
export function pairBytes(keyBytes: number, valueBytes: number): number {
  return varintBytes(keyBytes) + varintBytes(valueBytes) + keyBytes + valueBytes;
}

/** Writes the two lengths and returns where the key goes. The caller has made sure that it fits. */
export function writePairHeader(target: Buffer, at: number, keyBytes: number, valueBytes: number): number {
  return writeVarint(target, writeVarint(target, at, keyBytes), valueBytes);
}

/** Writes a whole framed pair and returns the position after it. The caller has made sure that it fits. */
export function writePair(target: Buffer, at: number, key: Uint8Array, value: Uint8Array): number {
  const keyAt = writePairHeader(target, at, key.length, value.length);
  target.set(key, keyAt);
  target.set(value, keyAt + key.length);
  return keyAt + key.length + value.length;
}

/** A {@link PairStream} over framed pairs in memory. May be pointed at other bytes with `reset`. */
export class PairCursor implements PairStream {
  bytes: Buffer;
  pairStart = 0;
  keyStart = 0;
  keyEnd = 0;
  valueStart = 0;
  valueEnd = 0;
  /** Where the next pair begins. */
  next: number;
  end: number;

  constructor(bytes: Buffer, start = 0, end = bytes.length) {
    this.bytes = bytes;
    this.next = start;
    this.end = end;
  }

  reset(bytes: Buffer, start: number, end: number): void {
    this.bytes = bytes;
    this.next = start;
    this.end = end;
  }

  /** False at the end. Throws `corrupt` when the last pair is cut off. */
  advance(): boolean {
    if (this.next === this.end) return false;
    if (this.tryAdvance()) return true;
    throw new MillraceError(
      'corrupt',
      `a pair at byte ${this.next} runs over the end of its segment at ${this.end}`,
    );
  }

  /** Like `advance`, but false, with nothing changed, when the pair is not there as a whole: the caller brings more bytes. */
  tryAdvance(): boolean {
    const { bytes, next, end } = this;
    let at = next;
    let keyLength = bytes[at++]!;
    if (keyLength >= 0x80) {
      keyLength &= 0x7f;
      for (let unit = 0x80; at < end; unit *= 0x80) {
        const byte = bytes[at++]!;
        keyLength += (byte & 0x7f) * unit;
        if (byte < 0x80) break;
      }
    }
    if (at >= end) return false;
    let valueLength = bytes[at++]!;
    if (valueLength >= 0x80) {
      valueLength &= 0x7f;
      for (let unit = 0x80; ; unit *= 0x80) {
        if (at >= end) return false;
        const byte = bytes[at++]!;
        valueLength += (byte & 0x7f) * unit;
        if (byte < 0x80) break;
      }
    }
    const keyEnd = at + keyLength;
    const valueEnd = keyEnd + valueLength;
    if (valueEnd > end) return false;
    this.pairStart = next;
    this.keyStart = at;
    this.keyEnd = keyEnd;
    this.valueStart = keyEnd;
    this.valueEnd = valueEnd;
    this.next = valueEnd;
    return true;
  }
}

/** Orders two byte ranges as unsigned bytes, the shorter first when one starts the other: negative, zero or positive. */
export function compareBytes(
  a: Uint8Array,
  aStart: number,
  aEnd: number,
  b: Uint8Array,
  bStart: number,
  bEnd: number,
): number {
  const aLength = aEnd - aStart;
  const bLength = bEnd - bStart;
  const length = Math.min(aLength, bLength);
  for (let index = 0; index < length; index++) {
    const difference = a[aStart + index]! - b[bStart + index]!;
    if (difference !== 0) return difference;
  }
  return aLength - bLength;
}

/** Short copies are faster in place than through a call into native code. */
export function copyBytes(from: Buffer, start: number, end: number, to: Buffer, at: number): void {
  if (end - start > inPlaceBytesMax) {
    from.copy(to, at, start, end);
    return;
  }
  let toAt = at;
  for (let index = start; index < end; index++) to[toAt++] = from[index]!;
}
