/**
 * A set of small integers with the cheapest "next one at or after": two levels of bits. It holds pending tasks by index and the
 * maps a reduce has fetched, so that a table of a million tasks costs 128 KiB and no search walks more than a thousand words.
 */
export class IndexSet {
  readonly #words: Uint32Array;
  /** Bit w is set while word w is not zero. */
  readonly #summary: Uint32Array;
  #size = 0;

  /** Holds indexes in [0, capacity). */
  constructor(capacity: number) {
    this.#words = new Uint32Array((capacity + 31) >>> 5);
    this.#summary = new Uint32Array((this.#words.length + 31) >>> 5);
  }

  get size(): number {
    return this.#size;
  }

  has(index: number): boolean {
    return ((this.#words[index >>> 5] ?? 0) & (1 << (index & 31))) !== 0;
  }

  /** False when it was there already. */
  add(index: number): boolean {
    if (this.has(index)) return false;
    const word = index >>> 5;
    this.#words[word]! |= 1 << (index & 31);
    this.#summary[word >>> 5]! |= 1 << (word & 31);
    this.#size++;
    return true;
  }

  /** False when it was not there. */
  delete(index: number): boolean {
    if (!this.has(index)) return false;
    const word = index >>> 5;
    this.#words[word]! &= ~(1 << (index & 31));
    if (this.#words[word] === 0) this.#summary[word >>> 5]! &= ~(1 << (word & 31));
    this.#size--;
    return true;
  }

  /** The smallest member at or after `from`, or -1. */
  next(from: number): number {
    const word = from >>> 5;
    if (word >= this.#words.length) return -1;
    const rest = this.#words[word]! & (-1 << (from & 31));
    if (rest !== 0) return (word << 5) + lowestBit(rest);
    const nextWord = nextSet(this.#summary, word + 1);
    return nextWord < 0 ? -1 : (nextWord << 5) + lowestBit(this.#words[nextWord]!);
  }

  /** Members in ascending order; at most `limit` of them. */
  first(limit: number): number[] {
    const found: number[] = [];
    for (let at = this.next(0); at >= 0 && found.length < limit; at = this.next(at + 1)) found.push(at);
    return found;
  }
}

function lowestBit(word: number): number {
  return 31 - Math.clz32(word & -word);
}

function nextSet(words: Uint32Array, from: number): number {
  let at = from >>> 5;
  if (at >= words.length) return -1;
  let rest = words[at]! & (-1 << (from & 31));
  while (rest === 0) {
    if (++at >= words.length) return -1;
    rest = words[at]!;
  }
  return (at << 5) + lowestBit(rest);
}
