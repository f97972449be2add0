/**
 * Everything the core can ask for. Messages to workers are fire-and-forget: a lost one is made good by the worker's next
 * hello or by its lease. Operations end as exactly one event each. `persist` records are durable before any effect runs.
 */

import type { WorkerLossReason } from '../../lib/cluster-view.ts';
import type { AttemptId, JobId, WorkerId } from '../../lib/ids.ts';
import type { JobEvent } from '../../lib/job-event.ts';
import type { JobSpec, OpenPart, Split, StagedPart } from '../../lib/job-spec.ts';
import type { JobCause, JobState } from '../../lib/job-view.ts';
import type { LogSubject } from '../../lib/log-subject.ts';
import type { WorkerInfo } from '../../lib/reports.ts';

/** What a worker must know of a job; a new object whenever it changes, so that senders can compare by identity. */
export interface JobInfo {
  readonly spec: JobSpec;
  /** Encoded keys, ascending, for range partition; empty until sampled. */
  readonly cutPoints: readonly Uint8Array[];
}

export type TaskInput =
  | { readonly kind: 'sample'; readonly split: Split; readonly keysMax: number }
  | { readonly kind: 'map'; readonly split: Split }
  | { readonly kind: 'reduce'; readonly maps: number };

export interface MapLocation {
  readonly map: number;
  readonly attempt: number;
  readonly epoch: number;
  readonly worker: WorkerId;
  /** One per entry of the message's `reduces`. */
  readonly digests: readonly number[];
}

export type Effect =
  // Messages to one worker.
  /** `jobs`: those that it runs something of, and nothing else that it says to run. */
  | { readonly type: 'send-welcome'; readonly workerId: WorkerId; readonly jobs: readonly JobId[] }
  | { readonly type: 'send-rejoin'; readonly workerId: WorkerId }
  | {
      readonly type: 'send-assignment';
      readonly workerId: WorkerId;
      readonly attempt: AttemptId;
      readonly job: JobInfo;
      readonly input: TaskInput;
    }
  | {
      readonly type: 'send-cancel';
      readonly workerId: WorkerId;
      readonly attempt: AttemptId;
      readonly reason: string;
    }
  | {
      readonly type: 'send-locations';
      readonly workerId: WorkerId;
      readonly jobId: JobId;
      readonly version: number;
      readonly reduces: readonly number[];
      readonly found: readonly MapLocation[];
      readonly lost: readonly number[];
      readonly peers: readonly WorkerInfo[];
    }
  | {
      readonly type: 'send-answer';
      readonly workerId: WorkerId;
      readonly attempt: AttemptId;
      readonly accepted: boolean;
    }
  | { readonly type: 'send-job-ended'; readonly workerId: WorkerId; readonly jobId: JobId }
  /** Somebody asked for it: finish what runs, serve map outputs, wait for `send-drained`. */
  | { readonly type: 'send-drain'; readonly workerId: WorkerId }
  /** Nothing needs this draining worker any more: it may leave. */
  | { readonly type: 'send-drained'; readonly workerId: WorkerId }
  // Operations.
  | { readonly type: 'list-splits'; readonly spec: JobSpec }
  /** Publish the winners in order, remove what `replace` replaces, write `_SUCCESS` create-only. Safe to repeat. */
  | {
      readonly type: 'publish-output';
      readonly spec: JobSpec;
      readonly parts: readonly StagedPart[];
      /** Staged by attempts that lost or were revoked: dropped, never published. Dropping one twice is no error. */
      readonly discards: readonly OpenPart[];
      readonly unsure: readonly number[];
      readonly success: SuccessFacts;
    }
  /**
   * Drop every staged part of the job, known or not; nothing of it may stay. `unsure`, here and above: indexes of the output's tasks
   * whose attempts may have staged what nobody was told of, because their worker died first.
   */
  | {
      readonly type: 'discard-output';
      readonly spec: JobSpec;
      readonly parts: readonly OpenPart[];
      readonly unsure: readonly number[];
    }
  /** Drop one part of an attempt that lost and spoke too late for the discards of its job. Nothing waits for it. */
  | { readonly type: 'discard-part'; readonly jobId: JobId; readonly part: OpenPart }
  // For the job's event log and the metrics.
  | { readonly type: 'job-event'; readonly event: JobEvent }
  // For the metrics alone: what it means for jobs is in their events.
  | { readonly type: 'worker-lost'; readonly reason: WorkerLossReason }
  // To whoever watches: the view of this job has changed.
  | { readonly type: 'job-changed'; readonly jobId: JobId }
  // A sentence for the coordinator's log: why something was decided.
  | {
      readonly type: 'say';
      readonly level: 'info' | 'warn';
      readonly about: LogSubject;
      readonly text: string;
    };

/** What `_SUCCESS` says beside the parts. */
export interface SuccessFacts {
  readonly inputRecords: number;
  readonly inputBytes: number;
  readonly intermediateRecords: number;
  readonly intermediateBytes: number;
  readonly counters: Readonly<Record<string, number>>;
}

/** Durable decisions, in the order they were made. */
export type PersistRecord =
  | { readonly type: 'job-accepted'; readonly at: number; readonly spec: JobSpec }
  | {
      readonly type: 'job-planned';
      readonly at: number;
      readonly jobId: JobId;
      readonly splits: readonly Split[];
    }
  /** Staging of it has begun. Whoever leads next drops it unless it is accepted. */
  | {
      readonly type: 'part-opened';
      readonly at: number;
      readonly attempt: AttemptId;
      readonly part: OpenPart;
    }
  | {
      readonly type: 'part-accepted';
      readonly at: number;
      readonly attempt: AttemptId;
      readonly part: StagedPart;
    }
  | {
      readonly type: 'part-revoked';
      readonly at: number;
      readonly attempt: AttemptId;
      readonly reason: string;
    }
  | { readonly type: 'job-committing'; readonly at: number; readonly jobId: JobId }
  | {
      readonly type: 'job-ended';
      readonly at: number;
      readonly jobId: JobId;
      readonly state: JobState;
      readonly cause: JobCause | null;
    };

export interface Step {
  readonly persist: readonly PersistRecord[];
  readonly effects: readonly Effect[];
}
