/** Merges K sorted segments of records of 100 bytes with 10-byte keys, from memory and from files. `node bench/micro/merge.ts` */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SortBuffer } from '../../worker/map/sort-buffer.ts';
import { spill } from '../../worker/map/spill.ts';
import { MergeCursor } from '../../worker/shuffle/merge.ts';
import { RunReader } from '../../worker/shuffle/run-file.ts';
import { unlimitedSpace } from '../../worker/shuffle/scratch-space.ts';
import type { SegmentSource } from '../../worker/shuffle/segment-reader.ts';

const records = 1_000_000;
const rounds = 5;

let seed = 1;
function random(): number {
  seed = (Math.imul(seed, 1_103_515_245) + 12_345) & 0x7fffffff;
  return seed / 0x80000000;
}

const letters = (count: number) =>
  Array.from({ length: count }, () => String.fromCharCode(32 + Math.floor(random() * 95))).join('');
const value = letters(86);
const directory = mkdtempSync(join(tmpdir(), 'merge-'));

function makeSources(count: number): SegmentSource[] {
  const buffer = new SortBuffer(() => 0, 64 * 1024 * 1024);
  return Array.from({ length: count }, (_, index): SegmentSource => {
    for (let record = 0; record < records / count; record++) buffer.add(letters(10), value);
    const path = join(directory, `${count}-${index}.run`);
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

for (const count of [2, 16, 64, 128]) {
  const files = makeSources(count);
  for (const [where, sources] of Object.entries({ files, memory: files.map(toMemory) })) {
    const times: number[] = [];
    let bytes = 0;
    for (let round = 0; round < rounds; round++) {
      const start = performance.now();
      using merged = new MergeCursor(sources);
      bytes = 0;
      while (merged.advance()) bytes += merged.valueEnd - merged.pairStart;
      times.push(performance.now() - start);
    }
    const ms = times.sort((a, b) => a - b)[times.length >> 1]!;
    console.log(`K = ${count}, ${where}: ${Math.round(bytes / ms / 1000)} MB/s (${records} records)`);
  }
}
rmSync(directory, { recursive: true });
