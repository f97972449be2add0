/**
 * Makes input for benchmarks: the same bytes for the same kind, size and seed, on every machine.
 *
 *     node bench/generate.ts zipf|records|one-key|distinct-keys SIZE FILE [SEED]
 *
 * SIZE is in bytes (`200MB`), for `one-key` and `distinct-keys` in lines.
 */
import { closeSync, openSync, writeSync } from 'node:fs';
import { MillraceError } from '../lib/errors.ts';
import { parseBytes } from '../lib/units.ts';

export type GeneratedKind = 'zipf' | 'records' | 'one-key' | 'distinct-keys';

const vocabularyWords = 200_000;
const recordBytes = 100;
const keyBytes = 10;

/** A 32-bit xorshift: small, seeded, and good enough to spread words. Each call gives an integer in [0, 2^32). */
export function seededRandom(seed: number): () => number {
  let state = Math.imul(seed, 0x9e3779b1) ^ 0x6d2b79f5 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
}

/** Writes a file of `size` bytes or lines; a text may end a line over. Returns the bytes written. */
export function generate(kind: GeneratedKind, size: number, path: string, seed = 1): number {
  const writer = new FileWriter(path);
  try {
    if (kind === 'zipf') writeZipf(writer, size, seed);
    else if (kind === 'records') writeRecords(writer, size, seed);
    else writeKeys(writer, size, kind === 'one-key');
    writer.flush();
    return writer.bytes;
  } finally {
    writer.close();
  }
}

class FileWriter {
  bytes = 0;
  readonly #fd: number;
  readonly #buffer = Buffer.allocUnsafe(1024 * 1024);
  #at = 0;

  constructor(path: string) {
    this.#fd = openSync(path, 'w');
  }

  write(text: string): void {
    if (this.#at + text.length > this.#buffer.length) this.flush();
    this.#at += this.#buffer.write(text, this.#at, 'latin1');
  }

  /** What is written and what waits. */
  get size(): number {
    return this.bytes + this.#at;
  }

  flush(): void {
    writeSync(this.#fd, this.#buffer, 0, this.#at);
    this.bytes += this.#at;
    this.#at = 0;
  }

  close(): void {
    closeSync(this.#fd);
  }
}

/** Lines of 8 to 15 words; the word of rank r comes with frequency 1/r, and short words have the low ranks. */
function writeZipf(writer: FileWriter, bytes: number, seed: number): void {
  const random = seededRandom(seed);
  const words = Array.from({ length: vocabularyWords }, (_, rank) => wordOfRank(rank, random));
  const table = zipfTable(1 << 20);
  while (writer.size < bytes) {
    let line = words[table[random() >>> 12]!]!;
    for (let left = 7 + (random() & 7); left > 0; left--) line += ` ${words[table[random() >>> 12]!]}`;
    writer.write(`${line}\n`);
  }
}

/** `table[i]` for a uniform i is a rank that follows Zipf's law: looking up is all a draw costs. */
function zipfTable(entries: number): Uint32Array {
  let total = 0;
  for (let rank = 1; rank <= vocabularyWords; rank++) total += 1 / rank;
  const table = new Uint32Array(entries);
  let rank = 0;
  let covered = 1 / total;
  for (let index = 0; index < entries; index++) {
    while (index / entries >= covered && rank < vocabularyWords - 1) {
      rank++;
      covered += 1 / ((rank + 1) * total);
    }
    // Ranks rarer than one entry share entries.
    table[index] = rank;
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

/** Lines of 100 bytes: a random printable key of 10, the record's number, and filler. */
function writeRecords(writer: FileWriter, bytes: number, seed: number): void {
  const random = seededRandom(seed);
  const filler = 'abcdefghijklmnopqrstuvwxyz'.repeat(3).slice(0, recordBytes - keyBytes - 13);
  for (let index = 0; index < Math.floor(bytes / recordBytes); index++) {
    let key = '';
    for (let at = 0; at < keyBytes; at++) key += String.fromCharCode(33 + (random() % 94));
    writer.write(`${key} ${String(index).padStart(10, '0')} ${filler}\n`);
  }
}

/** Lines `key value`: all of one key, or each of its own. */
function writeKeys(writer: FileWriter, lines: number, same: boolean): void {
  for (let index = 0; index < lines; index++) {
    const number = String(index).padStart(10, '0');
    writer.write(same ? `key ${number}\n` : `key-${number} 1\n`);
  }
}

function isKind(text: string | undefined): text is GeneratedKind {
  return text === 'zipf' || text === 'records' || text === 'one-key' || text === 'distinct-keys';
}

if (import.meta.main) {
  const [kind, size, path, seed = '1'] = process.argv.slice(2);
  if (!isKind(kind) || !size || !path)
    throw new MillraceError(
      'invalid-argument',
      'usage: node bench/generate.ts zipf|records|one-key|distinct-keys SIZE FILE [SEED]',
    );
  console.log(`${path}: ${generate(kind, parseBytes(size, 'SIZE'), path, Number(seed))} bytes`);
}
