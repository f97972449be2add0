/**
 * Combines numbers while they are emitted: an open-addressing table with one 32-byte slot per key, so that a hit costs one cache miss.
 *
 *   word 0: hash   1: key bytes, 0 = free   2, 3: the state, a float64   4 to 7: a key of at most 16 bytes, else word 4: its arena offset
 *
 * Short ASCII strings are encoded and hashed in one pass, straight into words (little-endian, as every machine that Node runs on).
 */
import type { AggregatorOp } from '../../lib/aggregator.ts';
import { encodeKey, keyTags } from '../../lib/codec/key-codec.ts';
import { type PairStream, writePairHeader } from '../../lib/codec/pair.ts';
import { encodeValue } from '../../lib/codec/value-codec.ts';
import { murmur3, murmur3Block, murmur3Finish, murmur3Tail } from '../../lib/hash.ts';
import { limits } from '../../lib/limits.ts';

/** Those whose state of numbers is one number. */
export type NumberOp = Extract<AggregatorOp, 'sum' | 'count' | 'min' | 'max'>;

export function isNumberOp(op: AggregatorOp): op is NumberOp {
  return op === 'sum' || op === 'count' || op === 'min' || op === 'max';
}

const slotWords = 8;
const slotBytes = slotWords * 4;
const inlineBytesMax = 16;
const slotsMin = 1024;
const arenaBytesMin = 4096;

/** A bounded table of number states by key. The state of a key is that of its values merged in the order they were added. */
export class CombineTable {
  readonly #op: NumberOp;
  readonly #slotsMax: number;
  readonly #arenaBytesMax: number;
  #slots = 0;
  #words = new Int32Array(0);
  #states = new Float64Array(0);
  #keys = 0;
  #adds = 0;
  /** Keys over 16 bytes. */
  #arena = Buffer.allocUnsafeSlow(arenaBytesMin);
  #arenaAt = 0;
  /** The key being added, encoded: as bytes, and as the same bytes in words. */
  #scratch = Buffer.alloc(4096);
  readonly #key = new Int32Array(4);
  readonly #keyBytes = Buffer.from(this.#key.buffer);

  /** `bytesMax` bounds slots and arena; while it grows, half of the slots exist twice. */
  constructor(op: NumberOp, bytesMax: number = limits.combineTableBytesDefault) {
    this.#op = op;
    this.#slotsMax = slotsMin;
    while (this.#slotsMax * 2 * slotBytes <= bytesMax * 0.75) this.#slotsMax *= 2;
    this.#arenaBytesMax = Math.max(bytesMax - this.#slotsMax * slotBytes, arenaBytesMin);
    this.#allocate(slotsMin);
  }

  get keys(): number {
    return this.#keys;
  }

  /** Values added since the last `clear`. */
  get adds(): number {
    return this.#adds;
  }

  /**
   * Adds a value. False when a new key does not fit: take the `entries`, `clear`, and add again (a very long key may not fit
   * even then). Throws what `encodeKey` throws.
   */
  add(key: unknown, value: number): boolean {
    if (typeof key !== 'string' || key.length >= inlineBytesMax) return this.#addLong(key, value);
    const words = this.#key;
    const length = key.length;
    let word = keyTags.string as number;
    let shift = 8;
    let hash = 0;
    let bits = 0;
    let count = 0;
    for (let index = 0; index < length; index++) {
      const char = key.charCodeAt(index);
      bits |= char;
      word |= char << shift;
      shift += 8;
      if (shift === 32) {
        words[count++] = word;
        hash = murmur3Block(hash, word);
        word = 0;
        shift = 0;
      }
    }
    if (bits >= 0x80) return this.#addLong(key, value);
    hash = murmur3Finish(murmur3Tail(hash, word), length + 1) | 0;
    while (count < 4) {
      words[count++] = word;
      word = 0;
    }
    return this.#addInline(hash, length + 1, value);
  }

  /** All keys with their states, encoded as pairs, in no useful order. Add nothing while reading it. */
  entries(): PairStream {
    return new TableEntries(this.#words, this.#states, this.#slots, this.#arena);
  }

  clear(): void {
    this.#words.fill(0);
    this.#keys = 0;
    this.#adds = 0;
    this.#arenaAt = 0;
  }

  #addInline(hash: number, keyBytes: number, value: number): boolean {
    const words = this.#words;
    const key = this.#key;
    const word0 = key[0]!;
    const word1 = key[1]!;
    const word2 = key[2]!;
    const word3 = key[3]!;
    const mask = this.#slots - 1;
    let slot = hash & mask;
    for (;;) {
      const at = slot * slotWords;
      const bytes = words[at + 1]!;
      if (bytes === 0) break;
      if (
        words[at] === hash &&
        words[at + 4] === word0 &&
        words[at + 5] === word1 &&
        words[at + 6] === word2 &&
        words[at + 7] === word3 &&
        bytes === keyBytes
      ) {
        this.#merge(slot, value);
        return true;
      }
      slot = (slot + 1) & mask;
    }
    const free = this.#claim(slot, hash, keyBytes, value);
    if (free < 0) return false;
    this.#words.set(key, free * slotWords + 4);
    return true;
  }

  /** Any key: encoded first, then looked up. */
  #addLong(key: unknown, value: number): boolean {
    let end = encodeKey(key, this.#scratch, 0);
    while (end < 0) {
      this.#scratch = Buffer.allocUnsafeSlow(this.#scratch.length * 4);
      end = encodeKey(key, this.#scratch, 0);
    }
    const scratch = this.#scratch;
    const hash = murmur3(scratch, 0, end) | 0;
    if (end <= inlineBytesMax) {
      this.#keyBytes.fill(0);
      scratch.copy(this.#keyBytes, 0, 0, end);
      return this.#addInline(hash, end, value);
    }
    const words = this.#words;
    const mask = this.#slots - 1;
    let slot = hash & mask;
    for (;;) {
      const at = slot * slotWords;
      const bytes = words[at + 1]!;
      if (bytes === 0) break;
      if (words[at] === hash && bytes === end && this.#equalsArena(words[at + 4]!, end)) {
        this.#merge(slot, value);
        return true;
      }
      slot = (slot + 1) & mask;
    }
    if (!this.#growArena(end)) return false;
    const free = this.#claim(slot, hash, end, value);
    if (free < 0) return false;
    this.#words[free * slotWords + 4] = this.#arenaAt;
    scratch.copy(this.#arena, this.#arenaAt, 0, end);
    this.#arenaAt += end;
    return true;
  }

  #equalsArena(offset: number, length: number): boolean {
    const arena = this.#arena;
    const scratch = this.#scratch;
    for (let index = 0; index < length; index++) if (arena[offset + index] !== scratch[index]) return false;
    return true;
  }

  #merge(slot: number, value: number): void {
    const states = this.#states;
    const at = slot * (slotWords / 2) + 1;
    this.#adds++;
    switch (this.#op) {
      case 'sum':
        states[at] = states[at]! + value;
        break;
      case 'count':
        states[at] = states[at]! + 1;
        break;
      case 'min':
        states[at] = Math.min(states[at]!, value);
        break;
      case 'max':
        states[at] = Math.max(states[at]!, value);
        break;
    }
  }

  /** Takes the free slot, or another one if the table had to grow; -1 when it is full. */
  #claim(free: number, hash: number, keyBytes: number, value: number): number {
    let slot = free;
    if (this.#keys >= this.#slots * 0.6) {
      if (this.#slots >= this.#slotsMax) return -1;
      this.#allocate(this.#slots * 2);
      slot = this.#freeSlot(hash);
    }
    this.#words[slot * slotWords] = hash;
    this.#words[slot * slotWords + 1] = keyBytes;
    this.#states[slot * (slotWords / 2) + 1] = this.#op === 'count' ? 1 : value;
    this.#keys++;
    this.#adds++;
    return slot;
  }

  #freeSlot(hash: number): number {
    const mask = this.#slots - 1;
    let slot = hash & mask;
    while (this.#words[slot * slotWords + 1] !== 0) slot = (slot + 1) & mask;
    return slot;
  }

  #allocate(slots: number): void {
    const old = this.#words;
    this.#slots = slots;
    this.#words = new Int32Array(slots * slotWords);
    this.#states = new Float64Array(this.#words.buffer);
    for (let from = 0; from < old.length; from += slotWords) {
      if (old[from + 1] === 0) continue;
      const to = this.#freeSlot(old[from]!) * slotWords;
      for (let word = 0; word < slotWords; word++) this.#words[to + word] = old[from + word]!;
    }
  }

  #growArena(bytes: number): boolean {
    const needed = this.#arenaAt + bytes;
    if (needed <= this.#arena.length) return true;
    if (needed > this.#arenaBytesMax) return false;
    const larger = Buffer.allocUnsafeSlow(
      Math.min(Math.max(this.#arena.length * 2, needed), this.#arenaBytesMax),
    );
    this.#arena.copy(larger, 0, 0, this.#arenaAt);
    this.#arena = larger;
    return true;
  }
}

const valueBytesMax = 16;
const headerBytesMax = 10;

/** Each taken slot as a framed pair, built in bytes that the next one overwrites. */
class TableEntries implements PairStream {
  readonly #words: Int32Array;
  readonly #inline: Buffer;
  readonly #states: Float64Array;
  readonly #arena: Buffer;
  readonly #slots: number;
  #slot = -1;
  bytes = Buffer.allocUnsafeSlow(256);
  readonly pairStart = 0;
  keyStart = 0;
  keyEnd = 0;
  valueStart = 0;
  valueEnd = 0;

  constructor(words: Int32Array, states: Float64Array, slots: number, arena: Buffer) {
    this.#words = words;
    this.#inline = Buffer.from(words.buffer as ArrayBuffer);
    this.#states = states;
    this.#slots = slots;
    this.#arena = arena;
  }

  advance(): boolean {
    do if (++this.#slot >= this.#slots) return false;
    while (this.#words[this.#slot * slotWords + 1] === 0);
    const at = this.#slot * slotWords;
    const keyBytes = this.#words[at + 1]!;
    if (this.bytes.length < headerBytesMax + keyBytes + valueBytesMax) {
      this.bytes = Buffer.allocUnsafeSlow(2 * keyBytes + headerBytesMax + valueBytesMax);
    }
    // The header holds the length of the value: encode it once to learn that, once where it belongs.
    const state = this.#states[this.#slot * (slotWords / 2) + 1]!;
    const valueBytes = encodeValue(state, this.bytes, 0);
    this.keyStart = writePairHeader(this.bytes, 0, keyBytes, valueBytes);
    this.keyEnd = this.keyStart + keyBytes;
    if (keyBytes <= inlineBytesMax)
      this.#inline.copy(this.bytes, this.keyStart, at * 4 + 16, at * 4 + 16 + keyBytes);
    else this.#arena.copy(this.bytes, this.keyStart, this.#words[at + 4]!, this.#words[at + 4]! + keyBytes);
    this.valueStart = this.keyEnd;
    this.valueEnd = encodeValue(state, this.bytes, this.keyEnd);
    return true;
  }
}
