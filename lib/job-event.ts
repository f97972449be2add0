/**
 * What happens to a job, as it is kept: one JSON object a line in `jobs/<id>/events/`, in order. The status page, `explain` and the
 * metrics need nothing else. At most a handful of events per attempt, none per record; no user data but messages of failures.
 */
import type { AttemptFailure } from './attempt-failure.ts';
import type { JobId } from './ids.ts';
import type { DamageView, DifferenceView, JobCause, JobState } from './job-view.ts';

export type AttemptReason = 'first' | 'retry' | 'rerun' | 'backup';

export interface AttemptSums {
  readonly inputRecords: number;
  readonly inputBytes: number;
  /** Of a map what went to the shuffle, or the part of a map-only job; of a reduce its part. */
  readonly outputRecords: number;
  readonly outputBytes: number;
  /** Maps: sorted runs written because the buffer was full. Reduces: 0. */
  readonly spills: number;
  readonly spillBytes: number;
  /** Reduces: from the first location to the last segment held. Maps: 0. */
  readonly fetchMs: number;
}

export type JobEvent = { readonly atMs: number; readonly jobId: JobId } & (
  | { readonly type: 'job-state'; readonly state: JobState; readonly cause: JobCause | null }
  | {
      readonly type: 'job-planned';
      readonly maps: number;
      readonly reduces: number;
      readonly inputBytes: number;
    }
  | {
      readonly type: 'attempt-started';
      /** `m3`, `r0`, `s1`. */
      readonly task: string;
      readonly attempt: number;
      readonly worker: string;
      readonly reason: AttemptReason;
      /** Since the task began to wait for a slot. */
      readonly waitedMs: number;
    }
  /** Another coordinator goes on with the job: attempts that it does not adopt, and of which no end was told, are over. */
  | { readonly type: 'job-restored'; readonly epoch: number; readonly reduces: number }
  /** It was started under an earlier coordinator and goes on. */
  | {
      readonly type: 'attempt-adopted';
      readonly task: string;
      readonly attempt: number;
      readonly worker: string;
    }
  | {
      readonly type: 'attempt-ended';
      readonly task: string;
      readonly attempt: number;
      readonly worker: string;
      /** `superseded`: done, but another attempt was first. `lost`: its worker is. */
      readonly outcome: 'done' | 'superseded' | 'failed' | 'cancelled' | 'lost';
      readonly durationMs: number;
      /** Null unless `failed`. */
      readonly failure: AttemptFailure | null;
      /** Null unless `done` or `superseded`. */
      readonly sums: AttemptSums | null;
    }
  /** Map outputs that were on a worker that is gone, or that turned out corrupt, and of which the store has no copy. */
  | {
      readonly type: 'outputs-lost';
      /** Null: their copies in the store were all there was. */
      readonly worker: string | null;
      readonly maps: number;
      readonly why: string;
    }
  /** Attempts of a map made different output. */
  | ({ readonly type: 'map-differed' } & DifferenceView)
  /** A reduce got something else than the map wrote. */
  | ({ readonly type: 'segment-damaged' } & DamageView)
);

export type JobEventType = JobEvent['type'];

/** A line as stored. Events are dropped only when the store was away for so long that they would have filled the memory. */
export type JobEventLine =
  | JobEvent
  | {
      readonly atMs: number;
      readonly jobId: JobId;
      readonly type: 'events-dropped';
      readonly events: number;
    };
