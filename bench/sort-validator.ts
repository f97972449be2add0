/**
 * What valsort of the sort benchmark checks: that records of 100 bytes are in the order of their 10-byte keys, how many they are, and the sum of their
 * checksums, which tells whether they are those of the input.
 *
 *     node bench/sort-validator.ts FILE…      (one after the other; exit code 1 when they are not in order)
 */
import { closeSync, openSync, readSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import { MillraceError } from '../lib/errors.ts';

const recordBytes = 100;
const keyBytes = 10;
const chunkBytes = 10_000 * recordBytes;

export interface SortSummary {
  readonly records: number;
  /** The sum of the crc32 of all records, which does not depend on their order. */
  readonly checksum: bigint;
  /** Records whose key is that of the record before. */
  readonly duplicateKeys: number;
  /** The number, from 0, of the first record whose key is below the one before; undefined when all are in order. */
  readonly unorderedAt: number | undefined;
}

/** The files are read as one. Throws `corrupt` when one does not consist of whole records. */
export function validateSort(paths: readonly string[]): SortSummary {
  const state = new Validation();
  for (const path of paths) {
    const file = openSync(path, 'r');
    try {
      const chunk = Buffer.allocUnsafeSlow(chunkBytes);
      for (let bytes = fill(file, chunk); bytes > 0; bytes = fill(file, chunk)) {
        if (bytes % recordBytes !== 0)
          throw new MillraceError('corrupt', `${path} does not consist of records of ${recordBytes} bytes`);
        state.take(chunk, bytes);
      }
    } finally {
      closeSync(file);
    }
  }
  return state.summary();
}

/** Whether the output is the input, sorted: a text that says what is wrong, or undefined. */
export function sortMistake(input: SortSummary, output: SortSummary): string | undefined {
  if (output.unorderedAt !== undefined) return `record ${output.unorderedAt} is below the one before it`;
  if (output.records !== input.records) return `${output.records} records came of ${input.records}`;
  if (output.checksum !== input.checksum) return 'the records are not those of the input';
  return undefined;
}

class Validation {
  #records = 0;
  #sum = 0n;
  #duplicates = 0;
  #unorderedAt: number | undefined;
  readonly #lastKey = Buffer.alloc(keyBytes);

  take(chunk: Buffer, bytes: number): void {
    // Exact for the records of a chunk, and not for some millions; a bigint per record would be slow.
    let sum = 0;
    for (let at = 0; at < bytes; at += recordBytes) {
      if (this.#records > 0) this.#compare(chunk, at);
      chunk.copy(this.#lastKey, 0, at, at + keyBytes);
      sum += crc32(chunk.subarray(at, at + recordBytes));
      this.#records++;
    }
    this.#sum += BigInt(sum);
  }

  #compare(chunk: Buffer, at: number): void {
    const order = this.#lastKey.compare(chunk, at, at + keyBytes);
    if (order === 0) this.#duplicates++;
    if (order > 0) this.#unorderedAt ??= this.#records;
  }

  summary(): SortSummary {
    return {
      records: this.#records,
      checksum: this.#sum,
      duplicateKeys: this.#duplicates,
      unorderedAt: this.#unorderedAt,
    };
  }
}

/** As many bytes as there are, up to the size of the chunk. */
function fill(file: number, chunk: Buffer): number {
  let bytes = 0;
  while (bytes < chunk.length) {
    const read = readSync(file, chunk, bytes, chunk.length - bytes, null);
    if (read === 0) break;
    bytes += read;
  }
  return bytes;
}

if (import.meta.main) {
  const { records, checksum, duplicateKeys, unorderedAt } = validateSort(process.argv.slice(2));
  console.log(`records ${records}, checksum ${checksum.toString(16)}, duplicate keys ${duplicateKeys}`);
  if (unorderedAt !== undefined) {
    console.error(`not in order: record ${unorderedAt} is below the one before it`);
    process.exitCode = 1;
  }
}
