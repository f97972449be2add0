/**
 * Sorts the entries of a sort buffer: LSD radix by (partition, 8-byte prefix of the key), stable, passing over bytes that are the
 * same in all entries. Runs of equal prefix are sorted again by the bytes behind what their keys share, down to plain comparing.
 */
import { compareBytes, PairCursor } from '../../lib/codec/pair.ts';

/** Four words: prefix high, prefix low, offset of the pair in the arena, partition. */
export const entryBytes = 16;
export const entryWords = 4;
/** Prefix bytes 0 (last) to 7 (first), then the two bytes of the partition. */
const digits = 10;
/** Below this a run is sorted by comparing. */
const radixRecordsMin = 64;

/** Entry i is at word `first + 4 * i`. */
export interface SortedEntries {
  readonly entries: Uint32Array;
  readonly first: number;
  readonly records: number;
}

/** Writes the first 8 bytes of `bytes[start, end)` as two big-endian words; missing bytes are zero. */
export function loadPrefix(
  bytes: Buffer,
  start: number,
  end: number,
  entries: Uint32Array,
  at: number,
): void {
  if (end - start >= 8) {
    entries[at] =
      (bytes[start]! << 24) | (bytes[start + 1]! << 16) | (bytes[start + 2]! << 8) | bytes[start + 3]!;
    entries[at + 1] =
      (bytes[start + 4]! << 24) | (bytes[start + 5]! << 16) | (bytes[start + 6]! << 8) | bytes[start + 7]!;
    return;
  }
  let high = 0;
  let low = 0;
  const firstEnd = Math.min(start + 4, end);
  let shift = 24;
  for (let index = start; index < firstEnd; index++, shift -= 8) high |= bytes[index]! << shift;
  shift = 24;
  for (let index = start + 4; index < end; index++, shift -= 8) low |= bytes[index]! << shift;
  entries[at] = high;
  entries[at + 1] = low;
}

/**
 * Sorts the `records` entries that lie, newest first, at the end of `entries`. `arena` shares their memory and is in use up to
 * `arenaEnd`; between lies room for as many entries again.
 */
export function sortEntries(
  arena: Buffer,
  entries: Uint32Array,
  records: number,
  arenaEnd: number,
): SortedEntries {
  const spare = Math.ceil(arenaEnd / entryBytes) * entryWords;
  return { entries, first: new EntrySorter(arena, entries).sort(records, spare), records };
}

class EntrySorter {
  readonly #arena: Buffer;
  readonly #entries: Uint32Array;
  readonly #counts = new Uint32Array(digits * 256);
  readonly #a: PairCursor;
  readonly #b: PairCursor;

  constructor(arena: Buffer, entries: Uint32Array) {
    this.#arena = arena;
    this.#entries = entries;
    this.#a = new PairCursor(arena);
    this.#b = new PairCursor(arena);
  }

  /** Returns the word where the sorted entries begin: at the end of the memory, or at `spare`. */
  sort(records: number, spare: number): number {
    const newest = this.#entries.length - records * entryWords;
    const sorted = this.#radix(this.#entries.length - entryWords, -entryWords, records, newest, spare);
    this.#sortTies(sorted, records, 0, sorted === newest ? spare : newest);
    return sorted;
  }

  /**
   * LSD over all digits that vary, to and fro between `home`, where the entries are, and `spare`; returns the one that they end in.
   * The entries are read from `first` on in steps of `stride` words; afterwards they ascend.
   */
  #radix(first: number, stride: number, records: number, home: number, spare: number): number {
    this.#countDigits(first, stride, records);
    let from = first;
    let step = stride;
    let at = home;
    for (let digit = 0; digit < digits; digit++) {
      // Read backwards they must be written once at least, with whatever digit.
      const needed = digit === digits - 1 && step < 0;
      if (!needed && this.#isConstant(digit, first, records)) continue;
      at = at === home ? spare : home;
      this.#toPositions(digit, at);
      this.#scatter(from, step, records, digit);
      from = at;
      step = entryWords;
    }
    return at;
  }

  #countDigits(first: number, stride: number, records: number): void {
    const entries = this.#entries;
    const counts = this.#counts.fill(0);
    for (let index = 0, at = first; index < records; index++, at += stride) {
      const high = entries[at]!;
      const low = entries[at + 1]!;
      const partition = entries[at + 3]!;
      counts[low & 0xff]!++;
      counts[256 + ((low >>> 8) & 0xff)]!++;
      counts[512 + ((low >>> 16) & 0xff)]!++;
      counts[768 + (low >>> 24)]!++;
      counts[1024 + (high & 0xff)]!++;
      counts[1280 + ((high >>> 8) & 0xff)]!++;
      counts[1536 + ((high >>> 16) & 0xff)]!++;
      counts[1792 + (high >>> 24)]!++;
      counts[2048 + (partition & 0xff)]!++;
      counts[2304 + (partition >>> 8)]!++;
    }
  }

  #isConstant(digit: number, first: number, records: number): boolean {
    if (records === 0) return true;
    // Some pass may have moved other entries here, but counts do not depend on order: any digit that all share is that of any one.
    const value = (this.#entries[first + digitWord(digit)]! >>> digitShift(digit)) & 0xff;
    return this.#counts[digit * 256 + value] === records;
  }

  /** Counts become the words at which the first entries of each digit go. */
  #toPositions(digit: number, to: number): void {
    let at = to;
    for (let index = digit * 256; index < digit * 256 + 256; index++) {
      const count = this.#counts[index]!;
      this.#counts[index] = at;
      at += count * entryWords;
    }
  }

  #scatter(first: number, stride: number, records: number, digit: number): void {
    const entries = this.#entries;
    const counts = this.#counts;
    const base = digit * 256;
    const word = digitWord(digit);
    const shift = digitShift(digit);
    for (let index = 0, from = first; index < records; index++, from += stride) {
      const bucket = base + ((entries[from + word]! >>> shift) & 0xff);
      const to = counts[bucket]!;
      counts[bucket] = to + entryWords;
      entries[to] = entries[from]!;
      entries[to + 1] = entries[from + 1]!;
      entries[to + 2] = entries[from + 2]!;
      entries[to + 3] = entries[from + 3]!;
    }
  }

  /**
   * Sorts each run of equal (partition, prefix) by its whole keys. The keys agree up to `depth`, and the prefixes are their bytes
   * from there. `spare` is room for as many entries.
   */
  #sortTies(first: number, records: number, depth: number, spare: number): void {
    const entries = this.#entries;
    const last = first + records * entryWords;
    let start = first;
    while (start < last) {
      const high = entries[start]!;
      const low = entries[start + 1]!;
      const partition = entries[start + 3]!;
      let end = start + entryWords;
      while (
        end < last &&
        entries[end] === high &&
        entries[end + 1] === low &&
        entries[end + 3] === partition
      ) {
        end += entryWords;
      }
      if (end - start > entryWords) {
        this.#sortRun(start, (end - start) / entryWords, depth, spare + start - first);
      }
      start = end;
    }
  }

  #sortRun(first: number, records: number, depth: number, spare: number): void {
    const shared = this.#sharedKeyBytes(first, records, depth);
    if (shared < 0) return;
    // Keys that differ only by zeros at their end share fewer bytes than their prefixes: more prefixes would not tell them apart.
    if (records < radixRecordsMin || shared < depth + 8) {
      this.#mergeSort(first, records, spare);
      return;
    }
    const arena = this.#arena;
    for (let at = first; at < first + records * entryWords; at += entryWords) {
      const key = this.#keyOf(this.#a, at);
      loadPrefix(arena, key.keyStart + shared, key.keyEnd, this.#entries, at);
    }
    if (this.#radix(first, entryWords, records, first, spare) === spare) this.#move(spare, records, first);
    this.#sortTies(first, records, shared, spare);
  }

  /** How many bytes from its start all keys of a run have in common, at least `depth`; -1 when they are all equal. */
  #sharedKeyBytes(first: number, records: number, depth: number): number {
    const arena = this.#arena;
    const { keyStart, keyEnd } = this.#keyOf(this.#a, first);
    let shared = keyEnd - keyStart;
    let equal = true;
    for (let at = first + entryWords; at < first + records * entryWords; at += entryWords) {
      const other = this.#keyOf(this.#b, at);
      const length = other.keyEnd - other.keyStart;
      if (length !== keyEnd - keyStart) equal = false;
      const most = Math.min(shared, length);
      let index = depth;
      while (index < most && arena[keyStart + index] === arena[other.keyStart + index]) index++;
      if (index < shared) {
        shared = index;
        equal = false;
      }
    }
    return equal ? -1 : shared;
  }

  /** Stable; for short runs, and for those that prefixes cannot tell apart. */
  #mergeSort(first: number, records: number, spare: number): void {
    if (records < 2) return;
    const half = records >> 1;
    const middle = first + half * entryWords;
    const end = first + records * entryWords;
    this.#mergeSort(first, half, spare);
    this.#mergeSort(middle, records - half, spare);
    if (this.#compareKeys(middle - entryWords, middle) <= 0) return;
    this.#move(first, half, spare);
    let left = spare;
    let right = middle;
    const leftEnd = spare + half * entryWords;
    for (let to = first; left < leftEnd; to += entryWords) {
      if (right < end && this.#compareKeys(right, left) < 0) {
        this.#move(right, 1, to);
        right += entryWords;
      } else {
        this.#move(left, 1, to);
        left += entryWords;
      }
    }
  }

  #compareKeys(a: number, b: number): number {
    const left = this.#keyOf(this.#a, a);
    const right = this.#keyOf(this.#b, b);
    return compareBytes(this.#arena, left.keyStart, left.keyEnd, this.#arena, right.keyStart, right.keyEnd);
  }

  #keyOf(cursor: PairCursor, at: number): PairCursor {
    cursor.next = this.#entries[at + 2]!;
    cursor.advance();
    return cursor;
  }

  #move(from: number, records: number, to: number): void {
    this.#entries.copyWithin(to, from, from + records * entryWords);
  }
}

function digitWord(digit: number): number {
  return digit < 4 ? 1 : digit < 8 ? 0 : 3;
}

function digitShift(digit: number): number {
  return (digit & 3) * 8;
}
