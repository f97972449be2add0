/** Merges sorted segments of records of 100 bytes with 10-byte keys, from memory and from files. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SortBuffer } from '../../worker/map/sort-buffer.ts';
import { spill } from '../../worker/map/spill.ts';
import { MergeCursor } from '../../worker/shuffle/merge.ts';
import { RunReader } from '../../worker/shuffle/run-file.ts';
import { unlimitedSpace } from '../../worker/shuffle/scratch-space.ts';
import type { SegmentSource } from '../../worker/shuffle/segment-reader.ts';
import { randomText } from './random-text.ts';
import { cpuOf, measureEach, measureStages, type Rate } from './rate.ts';

const records = 1_000_000;
const recordBytes = 100;
const bufferBytes = 128 * 1024 * 1024;

export async function merge(): Promise<Rate[]> {
  const folder = mkdtempSync(join(tmpdir(), 'merge-'));
  try {
    return await measureEach([2, 16, 64, 128], (count) => {
      const files = makeSources(count, folder);
      const memory = files.map(toMemory);
      return measureStages(`${count} segments`, (records * recordBytes) / 1e6, 'MB/s', () => ({
        'from files': cpuOf(() => mergeAll(files)),
        'from memory': cpuOf(() => mergeAll(memory)),
      }));
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function makeSources(count: number, folder: string): SegmentSource[] {
  const text = randomText(count);
  const value = text(86);
  const buffer = new SortBuffer(() => 0, bufferBytes);
  return Array.from({ length: count }, (_, index): SegmentSource => {
    for (let record = 0; record < records / count; record++)
      if (!buffer.add(text(10), value)) throw new Error('the buffer is full');
    const path = join(folder, `${count}-${index}.run`);
    const segment = spill(buffer, path, 1, undefined, unlimitedSpace).segments[0]!;
    return { kind: 'file', name: path, path, offset: segment.offset, counts: segment };
  });
}

function toMemory(source: SegmentSource): SegmentSource {
  if (source.kind === 'memory') return source;
  using reader = new RunReader(source.path);
  const bytes = Buffer.allocUnsafeSlow(source.counts.bytes);
  reader.read(source.offset, bytes);
  return { kind: 'memory', name: source.name, bytes, counts: source.counts };
}

function mergeAll(sources: readonly SegmentSource[]): void {
  using merged = new MergeCursor(sources);
  let pairs = 0;
  while (merged.advance()) pairs++;
  if (pairs < records) throw new Error(`only ${pairs} pairs came out of the merge`);
}
