/** Adds, sorts and spills records of 100 bytes with 10-byte keys, as sort benchmarks have them. `node bench/micro/sort-buffer.ts` */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createPartitioner } from '../../worker/map/partition.ts';
import { SortBuffer } from '../../worker/map/sort-buffer.ts';
import { RunWriter } from '../../worker/shuffle/run-file.ts';

const partitions = 16;
const records = 400_000;
const recordBytes = 100;
const rounds = 7;

let seed = 1;
function random(): number {
  seed = (Math.imul(seed, 1_103_515_245) + 12_345) & 0x7fffffff;
  return seed / 0x80000000;
}

const letters = (count: number) =>
  Array.from({ length: count }, () => String.fromCharCode(32 + Math.floor(random() * 95))).join('');
const shapes: Record<string, (index: number) => string> = {
  'random keys': () => letters(10),
  'one long shared prefix': () => `https://example.com/${letters(6)}`,
  'few keys': () => `key-${Math.floor(random() * 1000)}`,
};
const value = letters(89);

const directory = mkdtempSync(join(tmpdir(), 'sort-buffer-'));
for (const [shape, makeKey] of Object.entries(shapes)) {
  const keys = Array.from({ length: records }, (_, index) => makeKey(index));
  const buffer = new SortBuffer(createPartitioner({ kind: 'hash' }, partitions), 64 * 1024 * 1024);
  const times: [add: number, sort: number, spill: number][] = [];
  for (let round = 0; round < rounds; round++) {
    const start = performance.now();
    for (const key of keys) if (!buffer.add(key, value)) throw new Error('the buffer is full');
    const added = performance.now();
    const pairs = buffer.sorted();
    const sorted = performance.now();
    const writer = new RunWriter(join(directory, 'a.run'), partitions);
    while (pairs.advance()) writer.append(pairs.partition, pairs.bytes, pairs.pairStart, pairs.valueEnd);
    writer.finish();
    times.push([added - start, sorted - added, performance.now() - sorted]);
    buffer.clear();
  }
  const total = (each: readonly number[]) => each.reduce((sum, ms) => sum + ms, 0);
  times.sort((a, b) => total(a) - total(b));
  const median = times[times.length >> 1]!;
  const megabytes = (records * recordBytes) / 1e6;
  console.log(
    `${shape}: ${Math.round((megabytes / total(median)) * 1000)} MB/s (add ${median.map((ms) => ms.toFixed(0)).join(', sort ')} spill ms, ${records} records)`,
  );
}
rmSync(directory, { recursive: true });
