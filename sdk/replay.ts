/**
 * One map attempt of a job again, in this process: the job's own bundle on the same split. Nothing of the job is touched: what it makes
 * goes to a temporary folder and to memory, and away.
 */
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AttemptFailure } from '../lib/attempt-failure.ts';
import { MillraceError } from '../lib/errors.ts';
import { formatAttempt, parseTask, type TaskRef, toJobId } from '../lib/ids.ts';
import type { Counters, JobSpec, Split } from '../lib/job-spec.ts';
import { createStores, type Stores } from '../lib/store/resolve.ts';
import { createProgress, progressAt } from '../worker/user/progress.ts';
import { runTask } from '../worker/user/run-task.ts';
import { JobFolder, type PastAttempt } from './job-folder.ts';

export interface ReplayOptions {
  /** Of the coordinator that ran the job, with a trailing slash. */
  readonly storeUri: string;
  readonly jobId: string;
  /** `m3`. */
  readonly task: string;
  /** Default: the last one that failed, else the first. */
  readonly attempt?: number | undefined;
  /** Of the pairs that map yields so many are kept. */
  readonly pairsMax: number;
  readonly signal?: AbortSignal | undefined;
  readonly onLog: (line: string) => void;
  /** Told what will run, before the job is loaded. */
  readonly onStart?: ((replay: Replay) => Promise<void> | void) | undefined;
}

export interface Replay {
  readonly spec: JobSpec;
  /** `m3.1`. */
  readonly name: string;
  readonly split: Split;
  /** How the attempt ended then; undefined when its job does not say. */
  readonly past: PastAttempt | undefined;
}

export interface ReplayEnd {
  readonly replay: Replay;
  /** Null when it did not fail. */
  readonly failure: AttemptFailure | null;
  readonly inputRecords: number;
  readonly yieldedPairs: number;
  /** The first, each as JSON text `[key,value]`. */
  readonly pairs: readonly string[];
  readonly counters: Counters;
  /** For showing the source around an error. */
  readonly bundleCode: Uint8Array;
}

/** Throws for a job or task that is not there, and for a task that is no map. Records over budget or not: the first bad one ends it. */
export async function replayTask(options: ReplayOptions): Promise<ReplayEnd> {
  const jobId = toJobId(options.jobId);
  const task = mapTask(options.task);
  const stores = createStores();
  const folder = new JobFolder(stores, options.storeUri, jobId);
  const spec = await folder.spec();
  const split = await folder.split(task.index);
  const past = chooseAttempt(await folder.attempts(task), options);
  const number = options.attempt ?? past?.attempt ?? 0;
  const replay = { spec, split, past, name: formatAttempt({ ...task, attempt: number }) };
  await options.onStart?.(replay);
  const bundleCode = await folder.bundle(spec);
  return { ...(await runHere(replay, task, number, stores, options)), replay, bundleCode };
}

function mapTask(text: string): TaskRef {
  const task = parseTask(text);
  if (task?.kind === 'map') return task;
  const why =
    task?.kind === 'reduce'
      ? 'the input of a reduce lies on workers and is gone when its job ends, so this version replays only map tasks'
      : 'expected a map task such as m3';
  throw new MillraceError('invalid-argument', `cannot replay ${text}: ${why}`);
}

function chooseAttempt(
  past: readonly PastAttempt[],
  { attempt, task }: ReplayOptions,
): PastAttempt | undefined {
  if (attempt === undefined) return past.findLast(({ failure }) => failure !== null) ?? past[0];
  const found = past.find((one) => one.attempt === attempt);
  if (found || past.length === 0) return found;
  const known = past.map((one) => `${one.attempt} (${one.outcome})`).join(', ');
  throw new MillraceError(
    'not-found',
    `${task} has no ended attempt ${attempt} (--attempt); there are ${known}`,
  );
}

async function runHere(
  { spec, split }: Replay,
  task: TaskRef,
  attempt: number,
  stores: Stores,
  { pairsMax, signal, onLog }: ReplayOptions,
): Promise<Omit<ReplayEnd, 'replay' | 'bundleCode'>> {
  const directory = await mkdtemp(join(tmpdir(), 'millrace-replay-'));
  const progress = createProgress();
  const pairs: string[] = [];
  const { maxBadRecords: _, ...rest } = spec;
  const here = { ...rest, outputUri: `mem://replay-${randomUUID()}/out/` };
  try {
    const { end, counters } = await runTask(
      {
        kind: 'map',
        spec: here,
        split,
        // Which partition a pair goes to is nothing that a map sees.
        cutPoints: [],
        attempt: { ...task, jobId: spec.jobId, attempt, epoch: 1 },
        directory,
        bundleDirectory: directory,
      },
      {
        stores,
        progress,
        signal: signal ?? new AbortController().signal,
        log: onLog,
        onPair(key, value) {
          if (pairs.length < pairsMax) pairs.push(pairText(key, value));
        },
      },
    );
    return {
      failure: end.kind === 'failed' ? end.failure : null,
      inputRecords: progress[progressAt.recordsIn]!,
      yieldedPairs: progress[progressAt.recordsOut]!,
      pairs,
      counters,
    };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** Now, because it may be changed later; what is no data is refused by the task itself, with its name. */
function pairText(key: unknown, value: unknown): string {
  const plain = (_: string, part: unknown): unknown => {
    if (typeof part === 'bigint') return String(part);
    return part instanceof Uint8Array ? Buffer.from(part).toString('base64') : part;
  };
  try {
    return JSON.stringify([key, value], plain);
  } catch (error) {
    return JSON.stringify([String(key), `(${error instanceof Error ? error.message : String(error)})`]);
  }
}
