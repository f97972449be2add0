/** Map output made by the real writers from random pairs, and read by the real merge: the same as text. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import type { SegmentCounts } from '../../lib/job-spec.ts';
import { createMapOutput } from '../../worker/map/pair-collector.ts';
import { MergeCursor } from '../../worker/shuffle/merge.ts';
import { RunReader } from '../../worker/shuffle/run-file.ts';
import type { SegmentSource } from '../../worker/shuffle/segment-reader.ts';
import type { Random } from '../core/fake-cluster.ts';

export interface WrittenRun {
  readonly bytes: Buffer;
  /** Of header, segments, footer and trailer. */
  readonly boundaries: readonly number[];
  readonly segments: readonly SegmentCounts[];
}

/** A run file as a map attempt leaves it at `path`; the same random numbers give the same file. */
export function writeRun(path: string, random: Random, partitions: number, pairs = 60): WrittenRun {
  const output = createMapOutput({
    directory: dirname(path),
    fileName: basename(path),
    partitions,
    partitioning: { kind: 'hash' },
  });
  for (let i = 0; i < pairs; i++) output.emit(`word-${random.below(40)}`, 'x'.repeat(random.below(12)) + i);
  const { segments } = output.finish();
  const bytes = readFileSync(path);
  const ends = [8];
  for (const { bytes: length } of segments) ends.push(ends.at(-1)! + length);
  const trailer = bytes.length - 16;
  const boundaries = [...ends, trailer - 28, trailer, trailer + 8, trailer + 12, bytes.length];
  const counts = segments.map(({ records, bytes: length, crc32 }) => ({ records, bytes: length, crc32 }));
  return { bytes, boundaries: [...new Set(boundaries)].sort((a, b) => a - b), segments: counts };
}

/** A digest of all pairs in the order in which a reduce would see them, and how many there are. */
export function readPairs(sources: readonly SegmentSource[]): string {
  const hash = createHash('sha256');
  let pairs = 0;
  using merged = new MergeCursor(sources);
  while (merged.advance()) {
    const { bytes, keyStart, keyEnd, valueStart, valueEnd } = merged;
    hash.update(`${keyEnd - keyStart},${valueEnd - valueStart}:`);
    hash.update(bytes.subarray(keyStart, keyEnd)).update(bytes.subarray(valueStart, valueEnd));
    pairs++;
  }
  return `${pairs} pairs ${hash.digest('hex').slice(0, 16)}`;
}

/** All partitions of a run file, one after the other. */
export function readRun(path: string): string {
  using run = new RunReader(path);
  return Array.from({ length: run.partitions }, (_, partition) => {
    const { offset, ...counts } = run.segment(partition);
    return readPairs([{ kind: 'file', name: `partition ${partition}`, path, offset, counts }]);
  }).join('; ');
}
