/**
 * One attempt of a job again, in this process: the job's own bundle on the same split, or on what was kept of the input of a reduce that
 * failed. Nothing of the job is touched: what it makes goes to a temporary folder and to memory, and away.
 */
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AttemptFailure } from '../lib/attempt-failure.ts';
import { MillraceError } from '../lib/errors.ts';
import { type AttemptId, formatAttempt, parseTask, type TaskRef, toJobId } from '../lib/ids.ts';
import type { Counters, JobSpec, Split } from '../lib/job-spec.ts';
import type { KeptInputs } from '../lib/kept-inputs.ts';
import { createStores, type Stores } from '../lib/store/resolve.ts';
import { RunReader } from '../worker/shuffle/run-file.ts';
import type { SegmentSource } from '../worker/shuffle/segment-reader.ts';
import { createProgress, progressAt } from '../worker/user/progress.ts';
import { runTask } from '../worker/user/run-task.ts';
import type { SlotTask } from '../worker/user/slot-messages.ts';
import { chooseAttempt, JobFolder, type PastAttempt } from './job-folder.ts';

export interface ReplayOptions {
  /** Of the coordinator that ran the job, with a trailing slash. */
  readonly storeUri: string;
  readonly jobId: string;
  /** `m3`, or `r0`. */
  readonly task: string;
  /** Default: of a map the last one that failed, else the first; of a reduce the one whose input was kept. */
  readonly attempt?: number | undefined;
  /** Of the pairs that map yields, or the records that reduce does, so many are kept. */
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
  readonly input: ReplayInput;
  /** How the attempt ended then; undefined when its job does not say. */
  readonly past: PastAttempt | undefined;
}

export type ReplayInput =
  | { readonly kind: 'map'; readonly split: Split }
  | { readonly kind: 'reduce'; readonly kept: KeptInputs };

export interface ReplayEnd {
  readonly replay: Replay;
  /** Null when it did not fail. */
  readonly failure: AttemptFailure | null;
  readonly inputRecords: number;
  readonly yieldedPairs: number;
  /** The first, each as JSON text: `[key,value]` of a map, of a reduce whatever record it yields. */
  readonly pairs: readonly string[];
  readonly counters: Counters;
  /** For showing the source around an error. */
  readonly bundleCode: Uint8Array;
}

/** Throws for a job or task that is not there, and for a reduce whose input was not kept. Records over budget or not: the first bad one ends it. */
export async function replayTask(options: ReplayOptions): Promise<ReplayEnd> {
  const jobId = toJobId(options.jobId);
  const task = taskOf(options.task);
  const stores = createStores();
  const folder = new JobFolder(stores, options.storeUri, jobId);
  const spec = await folder.spec();
  const input = await inputOf(folder, spec, task);
  const kept = input.kind === 'reduce' ? input.kept.attempt : undefined;
  const past = chooseAttempt(await folder.attempts(task), { ...options, kept });
  const number = options.attempt ?? kept ?? past?.attempt ?? 0;
  const replay = { spec, input, past, name: formatAttempt({ ...task, attempt: number }) };
  await options.onStart?.(replay);
  const bundleCode = await folder.bundle(spec);
  const directory = await mkdtemp(join(tmpdir(), 'millrace-replay-'));
  try {
    const attempt = { ...task, jobId, attempt: number, epoch: 1 };
    const slotTask = await slotTaskOf(folder, replay, attempt, directory);
    return { ...(await runHere(slotTask, stores, options)), replay, bundleCode };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function inputOf(folder: JobFolder, spec: JobSpec, { kind, index }: TaskRef): Promise<ReplayInput> {
  if (kind === 'map') return { kind, split: await folder.split(index) };
  if (index < spec.reducers) return { kind: 'reduce', kept: await folder.keptInputs(spec, index) };
  const there =
    spec.reducers === 0 ? 'no reduce tasks' : `${spec.reducers} reduce tasks, r0 to r${spec.reducers - 1}`;
  throw new MillraceError('not-found', `job ${spec.jobId} has ${there}`);
}

async function slotTaskOf(
  folder: JobFolder,
  { spec, input }: Replay,
  attempt: AttemptId,
  directory: string,
): Promise<SlotTask> {
  const { maxBadRecords: _, ...rest } = spec;
  const here = { ...rest, outputUri: `mem://replay-${randomUUID()}/out/` };
  const common = { spec: here, attempt, directory, bundleDirectory: directory };
  // Which partition a pair goes to is nothing that a map sees.
  if (input.kind === 'map') return { ...common, kind: 'map', split: input.split, cutPoints: [] };
  const path = join(directory, 'kept.run');
  await folder.fetchKept(spec, attempt.index, input.kept, path);
  using run = new RunReader(path);
  const sources = Array.from({ length: run.partitions }, (_, map): SegmentSource => {
    const { offset, ...counts } = run.segment(map);
    return { kind: 'file', name: `map m${map}, as it was kept`, counts, path, offset };
  });
  return { ...common, kind: 'reduce', maps: run.partitions, sources, origins: [] };
}

function taskOf(text: string): TaskRef {
  const task = parseTask(text);
  if (task?.kind === 'map' || task?.kind === 'reduce') return task;
  throw new MillraceError('invalid-argument', `cannot replay ${text}: expected a task such as m3 or r0`);
}

async function runHere(
  task: SlotTask,
  stores: Stores,
  { pairsMax, signal, onLog }: ReplayOptions,
): Promise<Omit<ReplayEnd, 'replay' | 'bundleCode'>> {
  const progress = createProgress();
  const pairs: string[] = [];
  const keep = (yielded: () => unknown) => {
    if (pairs.length < pairsMax) pairs.push(textOf(yielded()));
  };
  const { end, counters } = await runTask(task, {
    stores,
    progress,
    signal: signal ?? new AbortController().signal,
    log: onLog,
    onPair: (key, value) => keep(() => [key, value]),
    onRecord: (record) => keep(() => record),
  });
  return {
    failure: end.kind === 'failed' ? end.failure : null,
    inputRecords: progress[progressAt.recordsIn]!,
    yieldedPairs: progress[progressAt.recordsOut]!,
    pairs,
    counters,
  };
}

/** Now, because it may be changed later; what is no data is refused by the task itself, with its name. */
function textOf(yielded: unknown): string {
  const plain = (_: string, part: unknown): unknown => {
    if (typeof part === 'bigint') return String(part);
    return part instanceof Uint8Array ? Buffer.from(part).toString('base64') : part;
  };
  try {
    return JSON.stringify(yielded, plain) ?? String(yielded);
  } catch (error) {
    return JSON.stringify(`(${error instanceof Error ? error.message : String(error)})`);
  }
}
