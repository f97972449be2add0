/**
 * Combines numbers while they are emitted: an open-addressing table with one 32-byte slot per key (table-entries.ts has its layout), so
 * that a hit costs one cache miss. Pairs with short keys wait, as slots of their own, until there are some: then all their slots in the
 * table are touched before any is looked at, so that the processor waits for many cache misses at once and not for one after the other.
 */
import type { AggregatorOp } from '../../lib/aggregator.ts';
import { encodeKey, encodeKeySpan } from '../../lib/codec/key-codec.ts';
import type { PairStream } from '../../lib/codec/pair.ts';
import { murmur3 } from '../../lib/hash.ts';
import { limits } from '../../lib/limits.ts';
import { IdleMemory } from './idle-memory.ts';
import type { RecordSpans } from './record-spans.ts';
import { inlineBytesMax, slotBytes, slotWords, TableEntries } from './table-entries.ts';
import { WaitingPairs, waitingMax } from './waiting-pairs.ts';

/** Those whose state of numbers is one number. */
export type NumberOp = Extract<AggregatorOp, 'sum' | 'count' | 'min' | 'max'>;

export function isNumberOp(op: AggregatorOp): op is NumberOp {
  return op === 'sum' || op === 'count' || op === 'min' || op === 'max';
}

const slotsMin = 1024;
const arenaBytesMin = 4096;
/** Slots that are all free. */
const idle = new IdleMemory();

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
  /** A long key being added, encoded. */
  #scratch = Buffer.alloc(4096);
  readonly #waiting = new WaitingPairs();
  /** So many of those that wait are in the table already. */
  #settled = 0;
  /** Only written: what is read and never used may be left out by the compiler. */
  #touched = 0;

  /** `bytesMax` bounds slots and arena; while it grows, half of the slots exist twice. */
  constructor(op: NumberOp, bytesMax: number = limits.combineTableBytesDefault) {
    this.#op = op;
    this.#slotsMax = slotsMin;
    while (this.#slotsMax * 2 * slotBytes <= bytesMax * 0.75) this.#slotsMax *= 2;
    this.#arenaBytesMax = Math.max(bytesMax - this.#slotsMax * slotBytes, arenaBytesMin);
    this.#use(idle.take(this.#slotsMax * slotBytes) ?? new ArrayBuffer(slotsMin * slotBytes));
  }

  /** After `settle` also of the pairs that waited. */
  get keys(): number {
    return this.#keys;
  }

  /** Values added since the last `clear`, without those that wait. */
  get adds(): number {
    return this.#adds;
  }

  /**
   * Adds a value. False, with nothing taken, when the table is full: read the `entries`, `clear`, and add again (a very long key may not
   * fit even then). Throws what `encodeKey` throws.
   */
  add(key: unknown, value: number): boolean {
    if (this.#waiting.count === waitingMax && !this.settle()) return false;
    const state = this.#op === 'count' ? 1 : value;
    return this.#waiting.addText(key, state) || this.#addAny(key, state);
  }

  /** `add` of one value for each key in turn. False when the table is full: the key at `spans.at` is the first that was not taken. */
  addSpans(spans: RecordSpans, value: number): boolean {
    const { bytes } = spans;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    while (spans.at < spans.end) {
      if (this.#waiting.count === waitingMax && !this.settle()) return false;
      if (!this.#waiting.addSpans(spans, view, value) && !this.#addSpan(spans, value)) return false;
    }
    return true;
  }

  /** Takes pairs that wait into the table. False when it is full: read the `entries`, `clear`, and settle the rest. */
  settle(): boolean {
    const { words: waiting, states, count } = this.#waiting;
    let words = this.#words;
    let mask = this.#slots - 1;
    let touched = 0;
    for (let at = this.#settled * slotWords; at < count * slotWords; at += slotWords)
      touched ^= words[(waiting[at]! & mask) * slotWords]!;
    this.#touched ^= touched;
    for (let index = this.#settled; index < count; index++) {
      const from = index * slotWords;
      let slot = findSlot(words, mask, waiting, from);
      if (words[slot * slotWords + 1] !== 0) this.#merge(slot, states[from / 2 + 1]!);
      else {
        slot = this.#claim(slot, waiting[from]!);
        if (slot < 0) {
          this.#settled = index;
          return false;
        }
        words = this.#words;
        mask = this.#slots - 1;
        for (let word = 0; word < slotWords; word++) words[slot * slotWords + word] = waiting[from + word]!;
      }
    }
    this.#waiting.count = 0;
    this.#settled = 0;
    return true;
  }

  /** All keys that do not wait with their states, encoded as pairs, in no useful order. Add nothing while reading it. */
  entries(): PairStream {
    return new TableEntries(this.#words, this.#states, this.#slots, this.#arena);
  }

  /** What waits goes on waiting. */
  clear(): void {
    this.#words.fill(0);
    this.#keys = 0;
    this.#adds = 0;
    this.#arenaAt = 0;
  }

  /** Ends it, nothing being left in it that is wanted. May be called twice. */
  close(): void {
    if (this.#keys > 0) this.#words.fill(0);
    idle.leave(this.#words.buffer);
    this.#use(new ArrayBuffer(0));
  }

  /** The key at `spans.at`, whatever it is. */
  #addSpan(spans: RecordSpans, value: number): boolean {
    const { at, bounds, bytes, tag } = spans;
    const encode = () => encodeKeySpan(tag, bytes, bounds[at]!, bounds[at + 1]!, this.#scratch, 0);
    if (!this.#addScratch(this.#toScratch(encode), value)) return false;
    spans.at += 2;
    return true;
  }

  #addAny(key: unknown, value: number): boolean {
    return this.#addScratch(
      this.#toScratch(() => encodeKey(key, this.#scratch, 0)),
      value,
    );
  }

  /** The end of what `encode` writes to the scratch bytes, larger ones if need be. */
  #toScratch(encode: () => number): number {
    let end = encode();
    while (end < 0) {
      this.#scratch = Buffer.allocUnsafeSlow(this.#scratch.length * 4);
      end = encode();
    }
    return end;
  }

  #addScratch(end: number, value: number): boolean {
    const scratch = this.#scratch;
    if (end <= inlineBytesMax) {
      this.#waiting.addEncoded(scratch, end, value);
      return true;
    }
    const hash = murmur3(scratch, 0, end) | 0;
    const slot = this.#findLong(hash, end);
    if (this.#words[slot * slotWords + 1] !== 0) {
      this.#merge(slot, value);
      return true;
    }
    if (!this.#growArena(end)) return false;
    const taken = this.#claim(slot, hash);
    if (taken < 0) return false;
    const at = taken * slotWords;
    this.#words[at] = hash;
    this.#words[at + 1] = end;
    this.#states[at / 2 + 1] = value;
    this.#words[at + 4] = this.#arenaAt;
    scratch.copy(this.#arena, this.#arenaAt, 0, end);
    this.#arenaAt += end;
    return true;
  }

  /** The slot of the key in the scratch bytes: its own, or a free one. */
  #findLong(hash: number, end: number): number {
    const words = this.#words;
    const mask = this.#slots - 1;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const at = slot * slotWords;
      const bytes = words[at + 1]!;
      if (bytes === 0) return slot;
      if (words[at] === hash && bytes === end && this.#equalsArena(words[at + 4]!, end)) return slot;
    }
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
      case 'count':
        states[at] = states[at]! + value;
        break;
      case 'min':
        states[at] = Math.min(states[at]!, value);
        break;
      case 'max':
        states[at] = Math.max(states[at]!, value);
        break;
    }
  }

  /** Counts a new key in the free slot, or in another one if the table had to grow, for the caller to fill; -1 when it is full. */
  #claim(free: number, hash: number): number {
    let slot = free;
    if (this.#keys >= this.#slots * 0.6) {
      if (this.#slots >= this.#slotsMax) return -1;
      this.#grow();
      slot = this.#freeSlot(hash);
    }
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

  #use(memory: ArrayBuffer): void {
    this.#slots = memory.byteLength / slotBytes;
    this.#words = new Int32Array(memory);
    this.#states = new Float64Array(memory);
  }

  #grow(): void {
    const old = this.#words;
    this.#use(new ArrayBuffer(old.byteLength * 2));
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

/** The slot of an inline key, which is in `waiting` as a slot from `from` on: its own, or a free one. */
function findSlot(words: Int32Array, mask: number, waiting: Int32Array, from: number): number {
  const keyBytes = waiting[from + 1]!;
  const word0 = waiting[from + 4]!;
  const word1 = waiting[from + 5]!;
  const word2 = waiting[from + 6]!;
  const word3 = waiting[from + 7]!;
  for (let slot = waiting[from]! & mask; ; slot = (slot + 1) & mask) {
    const at = slot * slotWords;
    const taken = words[at + 1]!;
    if (taken === 0) return slot;
    if (
      words[at + 4] === word0 &&
      words[at + 5] === word1 &&
      words[at + 6] === word2 &&
      words[at + 7] === word3 &&
      taken === keyBytes
    )
      return slot;
  }
}
