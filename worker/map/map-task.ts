/**
 * The whole map side, top to bottom: read the split, run the user's map, partition, sort and combine in a bounded buffer, spill, merge
 * into one file, publish. The same call for slot threads and for tests in one thread; it knows nothing of a coordinator.
 */

import { isAggregator } from '../../lib/aggregator.ts';
import type { BadRecordsReport } from '../../lib/bad-records.ts';
import { MillraceError } from '../../lib/errors.ts';
import type { AttemptId } from '../../lib/ids.ts';
import type { JobSpec, SegmentCounts, Split, StagedPart } from '../../lib/job-spec.ts';
import type { Stores } from '../../lib/store/resolve.ts';
import type { UserJob } from '../../lib/user-job.ts';
import type { PartListener } from '../reduce/write-output.ts';
import type { ScratchSpace } from '../shuffle/scratch-space.ts';
import type { TaskContext } from '../user/context.ts';
import { withHooks } from '../user/hooks.ts';
import { type Progress, progressAt } from '../user/progress.ts';
import { showKey } from '../user/show.ts';
import { blameUser } from '../user/task-failure.ts';
import { BadRecords } from './bad-records.ts';
import { HeldPairs, type HoldPair, holdOutputPair, holdShuffledPair } from './held-pairs.ts';
import { createMapOutput } from './pair-collector.ts';
import type { Partitioning } from './partition.ts';
import { openMapPart } from './publish.ts';
import { readSplit } from './read-split.ts';
import { type PairSink, type RecordGuard, runMapper } from './run-mapper.ts';

/** The file of a finished map attempt, in the folder of that attempt. */
export const mapOutputName = 'output.run';

export interface MapTaskOptions {
  readonly spec: JobSpec;
  readonly job: UserJob;
  readonly attempt: AttemptId;
  readonly split: Split;
  /** For range partition. */
  readonly cutPoints: readonly Uint8Array[];
  readonly context: TaskContext;
  readonly progress: Progress;
  readonly stores: Stores;
  /** An existing local folder that this attempt has for itself. */
  readonly directory: string;
  /** On the disk of `directory`; default: all of it. */
  readonly space?: ScratchSpace | undefined;
  /** Told when a part is begun: of a map-only job its output, of any the records that it skips. */
  readonly partListener?: PartListener | undefined;
  /** Told each pair that map yields, before it goes on. */
  readonly onPair?: ((key: unknown, value: unknown) => void) | undefined;
}

export interface MapTaskResult {
  readonly inputRecords: number;
  readonly inputBytes: number;
  /** One per partition; empty for a map-only job. */
  readonly segments: readonly SegmentCounts[];
  /** Path of the run file that holds them; none for a map-only job. */
  readonly runPath: string | undefined;
  /** Map-only jobs. */
  readonly part: StagedPart | undefined;
  /** Sorted runs written because the buffer was full, and their bytes; 0 for a map-only job. */
  readonly spills: number;
  readonly spillBytes: number;
  /** What was skipped; undefined when nothing. */
  readonly bad?: BadRecordsReport | undefined;
}

/** Throws a TaskFailure or MillraceError and leaves nothing behind then. */
export async function runMapTask(options: MapTaskOptions): Promise<MapTaskResult> {
  const bad = new BadRecords(options);
  try {
    return await (options.spec.reducers === 0 ? mapToPart(options, bad) : mapToRun(options, bad));
  } catch (thrown) {
    await bad.abort();
    throw thrown;
  }
}

async function mapToRun(options: MapTaskOptions, bad: BadRecords): Promise<MapTaskResult> {
  const { spec, job, context, directory, space } = options;
  const { combine } = job;
  const partitioning = partitioningOf(options);
  const output = createMapOutput({
    directory,
    fileName: mapOutputName,
    partitions: spec.reducers,
    partitioning,
    space,
    ...(combine && {
      combine: typeof combine === 'function' ? combineOf(combine.bind(job), context) : combine,
    }),
  });
  try {
    const aggregator = isAggregator(combine) ? combine : undefined;
    const hold = () => holdShuffledPair({ partitions: spec.reducers, partitioning, aggregator });
    const input = await mapRecords(options, output, guardOf(options, bad, output, hold));
    const summary = output.finish();
    options.progress[progressAt.bytesOut] = summary.bytes;
    return {
      inputRecords: input.records,
      inputBytes: input.bytes,
      segments: summary.segments,
      runPath: summary.path,
      part: undefined,
      spills: summary.spills,
      spillBytes: summary.spillBytes,
      bad: await bad.finish(),
    };
  } catch (thrown) {
    output.abort();
    throw blameUser(thrown, 'map', '');
  }
}

/** Map-only: the pairs are the output records. */
async function mapToPart(options: MapTaskOptions, bad: BadRecords): Promise<MapTaskResult> {
  const part = await openMapPart(options);
  try {
    const hold = () => holdOutputPair(options.spec.output);
    const input = await mapRecords(options, part, guardOf(options, bad, part, hold));
    return {
      inputRecords: input.records,
      inputBytes: input.bytes,
      segments: [],
      runPath: undefined,
      part: await part.finish(),
      spills: 0,
      spillBytes: 0,
      bad: await bad.finish(),
    };
  } catch (thrown) {
    await part.abort();
    throw thrown;
  }
}

/** Only a job that may skip records pays for holding their pairs. */
function guardOf(
  { spec }: MapTaskOptions,
  bad: BadRecords,
  sink: PairSink,
  hold: () => HoldPair,
): RecordGuard | undefined {
  if (!spec.maxBadRecords) return undefined;
  return { pairs: new HeldPairs(sink, hold()), skip: (record) => bad.skip(record) };
}

export interface MappedInput {
  readonly records: number;
  /** As stored. */
  readonly bytes: number;
}

/** Reads the split and runs the user's map on it, hooks included. With a guard bad records are skipped. */
export async function mapRecords(
  options: MapTaskOptions,
  sink: PairSink,
  guard?: RecordGuard,
): Promise<MappedInput> {
  const { spec, job, context, progress, split, stores } = options;
  let bytes = 0;
  const onBytes = (read: number) => {
    bytes += read;
    progress[progressAt.bytesIn]! += read;
  };
  const batches = readSplit(split, spec.input, stores, { signal: context.signal, onBytes });
  const records = await withHooks(job, context, () =>
    runMapper(batches, { job, context, progress, sink: tapped(sink, options.onPair), guard }),
  );
  return { records, bytes };
}

function tapped(sink: PairSink, onPair: MapTaskOptions['onPair']): PairSink {
  if (!onPair) return sink;
  return {
    emit(key, value) {
      onPair(key, value);
      sink.emit(key, value);
    },
    drain: () => sink.drain?.(),
  };
}

function partitioningOf({ spec, job, cutPoints }: MapTaskOptions): Partitioning {
  switch (spec.partition) {
    case 'hash':
      return { kind: 'hash' };
    case 'range':
      return { kind: 'range', cuts: cutPoints };
    case 'custom': {
      const { partition } = job;
      if (typeof partition !== 'function') {
        throw new MillraceError(
          'job-file',
          'the job was submitted with its own partition function, but has none',
        );
      }
      return {
        kind: 'custom',
        partition(key, partitions) {
          try {
            return partition.call(job, key, partitions);
          } catch (thrown) {
            throw blameUser(thrown, 'partition', showKey(key));
          }
        },
      };
    }
  }
}

/** The user's combine, its exceptions marked as its own. */
function combineOf(
  combine: (
    key: unknown,
    values: Iterable<unknown>,
    context: TaskContext,
  ) => Iterable<readonly [unknown, unknown]>,
  context: TaskContext,
) {
  return function* (key: unknown, values: Iterable<unknown>): Iterable<readonly [unknown, unknown]> {
    try {
      yield* combine(key, values, context);
    } catch (thrown) {
      throw blameUser(thrown, 'combine', showKey(key));
    }
  };
}
