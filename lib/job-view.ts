/** A job as clients see it: the documented, stable shape that `--json` prints and that Get, Watch and List send. */
import type { AttemptFailure } from './attempt-failure.ts';
import type { OutputFormat } from './formats.ts';
import type { JobId } from './ids.ts';
import type { Counters, Durability, ParamValue } from './job-spec.ts';
import type { Profile } from './profile.ts';

export const jobStates = [
  'SUBMITTED',
  'MAPPING',
  'REDUCING',
  'COMMITTING',
  'COMPLETED',
  'FAILED',
  'CANCELLED',
] as const;
export type JobState = (typeof jobStates)[number];

export function isTerminal(state: JobState): boolean {
  return state === 'COMPLETED' || state === 'FAILED' || state === 'CANCELLED';
}

export interface PhaseView {
  readonly total: number;
  readonly done: number;
  readonly running: number;
  /** Not yet given to a worker. */
  readonly waiting: number;
  readonly failedAttempts: number;
  /** Attempts started a second time because the first was slow. */
  readonly backups: number;
  /** Done tasks run again because the worker that held their output was lost. */
  readonly reruns: number;
  /** Accepted attempts plus what running ones have read so far. */
  readonly records: number;
  readonly bytes: number;
}

/** One failed attempt, newest last; the view keeps the last 20. */
export interface FailedAttemptView {
  readonly task: string;
  readonly attempt: number;
  readonly worker: string;
  readonly atMs: number;
  readonly failure: AttemptFailure;
}

/** Attempts of one map that made something else for some partitions; the view keeps the first 20. */
export interface DifferenceView {
  /** `m3`; null when, after a restart of the coordinator, it is not known which map it was. */
  readonly task: string | null;
  /** Ascending; at most the first 100. */
  readonly partitions: readonly number[];
  /** Those known to differ, the accepted one of that time first. */
  readonly attempts: readonly MadeBy[];
}

export interface MadeBy {
  readonly attempt: number;
  /** Of the coordinator that gave it. */
  readonly epoch: number;
  readonly worker: string;
}

/** A segment that did not come to a reduce as its map wrote it, newest last; the view keeps the last 20. */
export interface DamageView {
  /** The map, and its attempt. */
  readonly task: string;
  readonly attempt: number;
  /** Who served it; null for a copy. */
  readonly worker: string | null;
  /** Who found it. */
  readonly reduce: string;
  /** `disk`: of that worker. `transit`: it is whole there. `store`: the copy of `--durability`. */
  readonly where: 'disk' | 'transit' | 'store';
  readonly atMs: number;
  readonly detail: string;
}

export interface JobView {
  readonly jobId: JobId;
  readonly name: string;
  readonly state: JobState;
  readonly priority: number;
  readonly submittedAtMs: number;
  readonly startedAtMs: number | null;
  readonly endedAtMs: number | null;
  readonly input: readonly string[];
  readonly outputUri: string;
  readonly outputFormat: OutputFormat;
  readonly params: Readonly<Record<string, ParamValue>>;
  readonly map: PhaseView;
  readonly reduce: PhaseView;
  /** Records that accepted maps skipped, within `--max-bad-records`; they are under `_bad/` in the output. */
  readonly badRecords: number;
  readonly durability: Durability;
  /** Accepted map outputs that are, or until the job ended were, in the store as well. */
  readonly mapsCopied: number;
  /** Maps whose attempts made different output, as far as it was noticed: see `--on-nondeterminism`. */
  readonly nonDeterministic: readonly DifferenceView[];
  readonly counters: Counters;
  readonly failedAttempts: readonly FailedAttemptView[];
  readonly damagedSegments: readonly DamageView[];
  /** Of a job with `--profile`: over attempts that this coordinator heard the end of; null without it, and until the first ended. */
  readonly profile: Profile | null;
  /** Why the job FAILED or was CANCELLED; null otherwise. */
  readonly cause: JobCause | null;
}

export interface JobCause {
  /** An ErrorCode. */
  readonly code: string;
  readonly message: string;
  /** The task whose failure ended the job, and that failure. */
  readonly task: string | null;
  readonly failure: AttemptFailure | null;
}
