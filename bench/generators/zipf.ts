/** Words that follow Zipf's law: the word of rank r comes with frequency 1/r, and short words have the low ranks. */
import type { ByteWriter } from './byte-writer.ts';

const vocabularyWords = 200_000;
const bucketBits = 16;
const buckets = 1 << bucketBits;
/** One word of the vocabulary: its length with the space, the word, a space. A power of two, so that it lies in one cache line. */
const slotBytes = 16;
const newline = 10;

export class ZipfWords {
  readonly #random: () => number;
  readonly #slots = Buffer.alloc(vocabularyWords * slotBytes);
  readonly #buckets = rankBuckets();

  constructor(random: () => number) {
    this.#random = random;
    for (let rank = 0; rank < vocabularyWords; rank++) {
      const word = wordOfRank(rank, random);
      this.#slots[rank * slotBytes] = word.length + 1;
      this.#slots.write(`${word} `, rank * slotBytes + 1, 'latin1');
    }
  }

  /** A word and a space, at `at`; returns the end. There must be room for `slotBytes`. */
  writeWord(buffer: Uint8Array, at: number): number {
    const slots = this.#slots;
    const draw = this.#random();
    const bucket = 2 * (draw >>> bucketBits);
    const inBucket = ((draw & (buckets - 1)) * this.#buckets[bucket + 1]!) >>> bucketBits;
    const slot = (this.#buckets[bucket]! + inBucket) * slotBytes;
    const bytes = slots[slot]!;
    for (let index = 0; index < bytes; index++) buffer[at + index] = slots[slot + 1 + index]!;
    return at + bytes;
  }

  /** `words` words with one space between two, and the end of the line. */
  writeLine(writer: ByteWriter, words: number): void {
    writer.reserve(words * slotBytes);
    const { buffer } = writer;
    let at = writer.at;
    for (let left = words; left > 0; left--) at = this.writeWord(buffer, at);
    buffer[at - 1] = newline;
    writer.at = at;
  }
}

/** Lines of 8 to 15 words. */
export function writeZipf(writer: ByteWriter, bytes: number, random: () => number): void {
  const words = new ZipfWords(random);
  while (writer.size < bytes) words.writeLine(writer, 8 + (random() & 7));
}

/**
 * Buckets of equal probability: entry 2i is the first rank of bucket i, entry 2i + 1 how many share it, evenly. Small enough for a core's own cache, which a
 * table with an entry for each rare word is not.
 */
function rankBuckets(): Uint32Array {
  let total = 0;
  for (let rank = 1; rank <= vocabularyWords; rank++) total += 1 / rank;
  const table = new Uint32Array(2 * buckets);
  let rank = 0;
  let covered = 1 / total;
  for (let bucket = 0; bucket < buckets; bucket++) {
    table[2 * bucket] = rank;
    while ((bucket + 1) / buckets >= covered && rank < vocabularyWords - 1) {
      rank++;
      covered += 1 / ((rank + 1) * total);
    }
    table[2 * bucket + 1] = Math.max(1, rank - table[2 * bucket]!);
  }
  return table;
}

/** Unique: the rank in base 26, spelled in small letters; then, but for the most frequent, up to five capitals. */
function wordOfRank(rank: number, random: () => number): string {
  let word = '';
  for (let rest = rank; ; rest = Math.floor(rest / 26)) {
    word = String.fromCharCode(97 + (rest % 26)) + word;
    if (rest < 26) break;
  }
  if (rank < 200) return word;
  const extra = random() % 6;
  for (let index = 0; index < extra; index++) word += String.fromCharCode(65 + (random() % 26));
  return word;
}
