/**
 * The whole reduce side, top to bottom: check that every map is there once, merge in map order, group, run the user's reduce, write
 * the part, check what was read against what was promised. Knows nothing of a coordinator; the same call for slot threads and tests.
 */
import { join } from 'node:path';
import { recordOfPair } from '../../lib/codec/decode-pair.ts';
import { type ErrorCode, MillraceError } from '../../lib/errors.ts';
import type { AttemptId, WorkerId } from '../../lib/ids.ts';
import type { JobSpec, PairCounts, SegmentCounts, StagedPart } from '../../lib/job-spec.ts';
import { addCounts, noCounts } from '../../lib/segment-digest.ts';
import type { Stores } from '../../lib/store/resolve.ts';
import type { UserJob } from '../../lib/user-job.ts';
import { MergeCursor, mergeSegments } from '../shuffle/merge.ts';
import type { ScratchSpace } from '../shuffle/scratch-space.ts';
import type { SegmentSource } from '../shuffle/segment-reader.ts';
import type { TaskContext } from '../user/context.ts';
import { withHooks } from '../user/hooks.ts';
import { type Progress, progressAt } from '../user/progress.ts';
import { TaskFailure } from '../user/task-failure.ts';
import { type RecordSink, runReducer } from './run-reducer.ts';
import { openPart, type PartListener } from './write-output.ts';

/** Where the segment of a map lies. */
export interface SegmentOrigin {
  readonly mapAttempt: number;
  /** On whose disk, or in whose memory. */
  readonly worker: WorkerId;
  /** It is not the map's own file but what was fetched of it, and was whole then. */
  readonly isCopy: boolean;
}

export interface ReduceTaskOptions {
  readonly spec: JobSpec;
  readonly job: UserJob;
  readonly attempt: AttemptId;
  /** M. */
  readonly maps: number;
  /** `[m]` is map m's segment of this partition, its counts checked against what the map reported. */
  readonly sources: readonly SegmentSource[];
  /** `[m]`: to blame when the segment of map m turns out corrupt. */
  readonly origins: readonly SegmentOrigin[];
  readonly context: TaskContext;
  /** All zero: what is read is counted in it. */
  readonly progress: Progress;
  readonly stores: Stores;
  /** An existing local folder that this attempt has for itself, for merges of very many segments. */
  readonly directory: string;
  /** On the disk of `directory`; default: all of it. */
  readonly space?: ScratchSpace | undefined;
  readonly mergeFanInMax?: number;
  /** Told each output record, before it is written. */
  readonly onRecord?: ((record: unknown) => void) | undefined;
  /** Told when its part is begun. */
  readonly partListener?: PartListener | undefined;
}

export interface ReduceTaskResult {
  /** What was fetched: the sum over all segments. */
  readonly consumed: SegmentCounts;
  /** What went through the groups of keys. */
  readonly reduced: PairCounts;
  readonly part: StagedPart;
}

/**
 * Throws a TaskFailure (`corrupt-segment` naming the map for a segment that is not what it should be, `corrupt-copy` for one that was when it
 * was fetched) or MillraceError; nothing stays staged then.
 */
export async function runReduceTask(options: ReduceTaskOptions): Promise<ReduceTaskResult> {
  const { job, context, progress, sources, directory, space, mergeFanInMax, onRecord } = options;
  const promised = checkSources(options);
  const part = await openPart({ ...options, kind: 'reduce', index: options.attempt.index });
  try {
    let temporary = 0;
    using merged = mergeSegments(
      sources.filter((source) => source.counts.bytes > 0),
      () => join(directory, `merge-${temporary++}.run`),
      { space, ...(mergeFanInMax !== undefined && { fanInMax: mergeFanInMax }) },
    );
    const sink = onRecord ? telling(part, onRecord) : part;
    await withHooks(job, context, () => runReducer(merged, { job, context, progress, sink }));
    const reduced = checkReduced(promised, progress);
    return { consumed: promised, reduced, part: await part.finish() };
  } catch (thrown) {
    await part.abort();
    throw blameSegment(thrown, options);
  }
}

function telling(part: RecordSink, onRecord: (record: unknown) => void): RecordSink {
  const write = (record: unknown) => {
    onRecord(record);
    return part.write(record);
  };
  return { write, writePair: (pair) => write(recordOfPair(pair)) };
}

/** Every map exactly once, before any user code (I13). */
function checkSources({ maps, sources }: ReduceTaskOptions): SegmentCounts {
  if (sources.length !== maps) {
    throw new MillraceError('internal', `${sources.length} segments for ${maps} maps`);
  }
  let sum = noCounts;
  for (let map = 0; map < maps; map++) {
    const source = sources[map];
    if (!source) throw new MillraceError('internal', `the segment of map m${map} is missing`);
    sum = addCounts(sum, source.counts);
  }
  return sum;
}

/**
 * The counts as the merge really read them. Records and bytes were counted pair by pair; each source's crc32 was compared by its
 * reader when its last byte had been read, and having read all bytes means that all of them were.
 */
function checkReduced(promised: SegmentCounts, progress: Progress): PairCounts {
  const records = progress[progressAt.recordsIn]!;
  const bytes = progress[progressAt.bytesIn]!;
  if (records !== promised.records || bytes !== promised.bytes) {
    throw new MillraceError(
      'corrupt',
      `the merge read ${records} records and ${bytes} bytes, the segments hold ${promised.records} and ${promised.bytes}`,
    );
  }
  return { records, bytes };
}

/** Finds the segment behind an error by reading all of them once more; an error that none explains stays as it is. */
function blameSegment(thrown: unknown, { sources, origins }: ReduceTaskOptions): unknown {
  if (!(thrown instanceof MillraceError) || !segmentErrors.has(thrown.code)) return thrown;
  const map = sources.findIndex((source) => !isIntact(source));
  const origin = origins[map];
  if (!origin) return thrown;
  const { isCopy, mapAttempt, worker } = origin;
  const kind = isCopy ? 'corrupt-copy' : 'corrupt-segment';
  const place = isCopy
    ? `whole when it was fetched, but not as it is kept by ${worker}`
    : `on the disk of ${worker}`;
  const message = `${place}: ${thrown.message}`;
  return new TaskFailure({ kind, message, map, mapAttempt, worker }, { cause: thrown });
}

/** Those of files that were changed, cannot be read, or are gone. */
const segmentErrors: ReadonlySet<ErrorCode> = new Set(['corrupt', 'not-found']);

function isIntact(source: SegmentSource): boolean {
  try {
    using reader = new MergeCursor([source]);
    while (reader.advance());
    return true;
  } catch {
    // Why it cannot be read is in the error that started the search.
    return false;
  }
}
