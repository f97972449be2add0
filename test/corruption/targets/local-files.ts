/** Files that a task writes and reads itself: spills, what a reduce fetched beyond its memory, and what it merged of that. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { SegmentCounts } from '../../../lib/job-spec.ts';
import { mergeSpills } from '../../../worker/map/merge-spills.ts';
import { mergeToRun } from '../../../worker/shuffle/merge.ts';
import type { RunSegment } from '../../../worker/shuffle/run-file.ts';
import { unlimitedSpace } from '../../../worker/shuffle/scratch-space.ts';
import type { SegmentSource } from '../../../worker/shuffle/segment-reader.ts';
import { SegmentStore } from '../../../worker/shuffle/segment-store.ts';
import { readPairs, readRun, writeRun } from '../pairs.ts';
import type { Target, TargetKind } from '../target.ts';

const partitions = 3;

function offsetsOf(segments: readonly SegmentCounts[]): RunSegment[] {
  let offset = 8;
  return segments.map((counts) => {
    const segment = { ...counts, offset };
    offset += counts.bytes;
    return segment;
  });
}

export const spill: TargetKind = {
  name: 'spill of a map',
  share: 2,
  make(folder, random) {
    const pathOf = (index: number) => join(folder, `spill-${index}`);
    const runs = [0, 1, 2].map((index) => writeRun(pathOf(index), random, partitions));
    const foreign = writeRun(join(folder, 'foreign'), random, partitions);
    const output = join(folder, 'output.run');
    return {
      whole: runs[1]!.bytes,
      boundaries: runs[1]!.boundaries,
      others: [runs[0]!.bytes, foreign.bytes],
      async read(bytes) {
        const summaries = runs.map((run, index) => {
          writeFileSync(pathOf(index), index === 1 ? bytes : run.bytes);
          return { path: pathOf(index), bytes: run.bytes.length, segments: offsetsOf(run.segments) };
        });
        mergeSpills(summaries, output, {
          partitions,
          combiner: undefined,
          newPath: () => join(folder, 'merged'),
          space: unlimitedSpace,
        });
        return readRun(output);
      },
    };
  },
};

export const fetchedFile: TargetKind = {
  name: 'segments a reduce fetched to disk',
  share: 2,
  async make(folder, random) {
    const runs = [0, 1].map((index) => writeRun(join(folder, `map-${index}`), random, 2));
    const path = join(folder, 'fetched');
    const [sources, others] = [
      await holdOnDisk(path, runs, 0),
      await holdOnDisk(join(folder, 'other'), runs, 1),
    ];
    const whole = readFileSync(path);
    return {
      whole,
      boundaries: [sources[0]!.counts.bytes, whole.length],
      others: others.flatMap((source) => (source.kind === 'file' ? [readFileSync(source.path)] : [])),
      async read(bytes) {
        writeFileSync(path, bytes);
        return readPairs(sources);
      },
    };
  },
};

async function holdOnDisk(
  path: string,
  runs: readonly { readonly bytes: Buffer; readonly segments: readonly SegmentCounts[] }[],
  partition: number,
): Promise<SegmentSource[]> {
  const store = new SegmentStore(path, 0);
  const sources: SegmentSource[] = [];
  for (const [index, { bytes, segments }] of runs.entries()) {
    const { offset, ...counts } = offsetsOf(segments)[partition]!;
    const sink = await store.begin(`map m${index}`, counts);
    await sink.write(bytes.subarray(offset, offset + counts.bytes));
    sources.push(sink.finish());
  }
  await store.close();
  return sources;
}

export const mergedRun: TargetKind = {
  name: 'merged segments of a reduce',
  share: 1,
  make(folder, random): Target {
    const sourcesOf = (name: string): SegmentSource[] =>
      [0, 1].map((index) => {
        const path = join(folder, `${name}-${index}`);
        const { offset, ...counts } = offsetsOf(writeRun(path, random, 1).segments)[0]!;
        return { kind: 'file', name, path, offset, counts };
      });
    const path = join(folder, 'merged');
    const merged = mergeToRun(sourcesOf('own'), path);
    const whole = readFileSync(path);
    const otherPath = join(folder, 'other-merged');
    mergeToRun(sourcesOf('other'), otherPath);
    return {
      whole,
      boundaries: [8, 8 + merged.counts.bytes, whole.length - 16, whole.length],
      others: [readFileSync(otherPath)],
      async read(bytes) {
        writeFileSync(path, bytes);
        return readPairs([merged]);
      },
    };
  },
};
