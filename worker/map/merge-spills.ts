/** The spilled runs of a map attempt become its one output file. */
import { renameSync, rmSync } from 'node:fs';
import { failpoint } from '../../lib/failpoints.ts';
import { limits } from '../../lib/limits.ts';
import { MergeCursor, mergeDown } from '../shuffle/merge.ts';
import { RunReader, type RunSummary, RunWriter } from '../shuffle/run-file.ts';
import type { ScratchSpace } from '../shuffle/scratch-space.ts';
import type { SegmentSource } from '../shuffle/segment-reader.ts';
import { type Combiner, writePairs } from './combine.ts';

export interface MergeSpillsOptions {
  readonly partitions: number;
  readonly combiner: Combiner | undefined;
  /** The name of one more temporary run. */
  readonly newPath: () => string;
  readonly space: ScratchSpace;
  readonly fanInMax?: number;
}

/**
 * Merges runs, in the order they were spilled, into one at `path`, and removes them; several passes above the fan-in. A single run
 * is only renamed. Throws `corrupt` and `no-space`; then the runs that are left are the caller's to remove.
 */
export function mergeSpills(
  runs: readonly RunSummary[],
  path: string,
  options: MergeSpillsOptions,
): RunSummary {
  const few = mergeDown(runs, options.fanInMax ?? limits.mergeFanInMax, (group) =>
    mergeRuns(group, options.newPath(), options),
  );
  const [only] = few;
  if (few.length > 1 || only === undefined) return mergeRuns(few, path, options);
  renameSync(only.path, path);
  return { ...only, path };
}

function mergeRuns(runs: readonly RunSummary[], path: string, options: MergeSpillsOptions): RunSummary {
  const readers: RunReader[] = [];
  const { space, combiner, partitions } = options;
  const writer = new RunWriter(path, partitions, {
    space,
    pairBytes: combiner === undefined ? pairBytesOf(runs) : undefined,
  });
  try {
    for (const run of runs) readers.push(new RunReader(run.path));
    for (let partition = 0; partition < partitions; partition++) {
      using pairs = new MergeCursor(sourcesOf(runs, readers, partition), { partition });
      writePairs(pairs, writer, combiner);
    }
    const merged = writer.finish();
    failpoint('map.merged');
    for (const run of runs) {
      rmSync(run.path, { force: true });
      space.give(run.bytes);
    }
    return merged;
  } catch (thrown) {
    writer.abort();
    throw thrown;
  } finally {
    for (const reader of readers) reader.close();
  }
}

function pairBytesOf(runs: readonly RunSummary[]): number {
  return runs.flatMap(({ segments }) => segments).reduce((sum, { bytes }) => sum + bytes, 0);
}

/** By what was written, not by what the index of the file says now: a whole file of another attempt is noticed, too. */
function sourcesOf(
  runs: readonly RunSummary[],
  readers: readonly RunReader[],
  partition: number,
): SegmentSource[] {
  const sources: SegmentSource[] = [];
  for (const [index, { path, segments }] of runs.entries()) {
    const segment = segments[partition]!;
    const fd = readers[index]!.fd;
    if (segment.bytes > 0) {
      sources.push({
        kind: 'file',
        name: `${path} partition ${partition}`,
        path,
        fd,
        offset: segment.offset,
        counts: segment,
      });
    }
  }
  return sources;
}
