/** Adds, sorts and spills records of 100 bytes with 10-byte keys, as sort benchmarks have them, in 16 partitions. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createPartitioner } from '../../worker/map/partition.ts';
import { SortBuffer } from '../../worker/map/sort-buffer.ts';
import { RunWriter } from '../../worker/shuffle/run-file.ts';
import { randomText } from './random-text.ts';
import { cpuOf, measureEach, measureStages, type Rate } from './rate.ts';

const partitions = 16;
const records = 400_000;
const recordBytes = 100;
const bufferBytes = 64 * 1024 * 1024;

const text = randomText(1);
const shapes: Readonly<Record<string, () => string>> = {
  'random keys': () => text(10),
  'one long shared prefix': () => `https://example.com/${text(6)}`,
  'few keys': () => `key-${text(1)}${text(1)}`,
};

export async function sortBuffer(): Promise<Rate[]> {
  const folder = mkdtempSync(join(tmpdir(), 'sort-buffer-'));
  try {
    return await measureEach(Object.entries(shapes), ([shape, makeKey]) => {
      const keys = Array.from({ length: records }, makeKey);
      return measureStages(shape, (records * recordBytes) / 1e6, 'MB/s', () =>
        sortOnce(keys, join(folder, 'a.run')),
      );
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const value = text(89);
const buffer = new SortBuffer(createPartitioner({ kind: 'hash' }, partitions), bufferBytes);

function sortOnce(keys: readonly string[], path: string) {
  const add = cpuOf(() => {
    for (const key of keys) if (!buffer.add(key, value)) throw new Error('the buffer is full');
  });
  let pairs: ReturnType<SortBuffer['sorted']>;
  const sort = cpuOf(() => {
    pairs = buffer.sorted();
  });
  const spill = cpuOf(() => {
    const writer = new RunWriter(path, partitions);
    while (pairs.advance()) writer.append(pairs.partition, pairs.bytes, pairs.pairStart, pairs.valueEnd);
    writer.finish();
  });
  buffer.clear();
  return { add, sort, spill, all: add + sort + spill };
}
