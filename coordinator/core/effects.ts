/**
 * Everything the core can ask for. Messages to workers are fire-and-forget: a lost one is made good by the worker's next
 * hello or by its lease. Operations end as exactly one event each. `persist` records are durable before any effect runs.
 */

import type { BadRecordsReport } from '../../lib/bad-records.ts';
import type { WorkerLossReason } from '../../lib/cluster-view.ts';
import type { AttemptId, JobId, TaskRef, WorkerId } from '../../lib/ids.ts';
import type { JobEvent } from '../../lib/job-event.ts';
import type {
  Counters,
  JobSpec,
  OpenPart,
  PairCounts,
  SegmentCounts,
  Split,
  StagedPart,
} from '../../lib/job-spec.ts';
import type { DifferenceView, FailedAttemptView, JobCause, JobState, JobView } from '../../lib/job-view.ts';
import type { LogSubject } from '../../lib/log-subject.ts';
import type { MapOutputLine } from '../../lib/map-output-line.ts';
import type { WorkerInfo } from '../../lib/reports.ts';
import type { JobAudit } from '../../lib/success-manifest.ts';

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
  /** Undefined: only its copy in the store is left. */
  readonly worker: WorkerId | undefined;
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
  /** Look in the store for whole copies of the outputs of these maps. */
  | { readonly type: 'find-copies'; readonly spec: JobSpec; readonly maps: readonly number[] }
  /** Publish the winners in order, remove what `replace` replaces, write `_SUCCESS` create-only. Safe to repeat. */
  | ({
      readonly type: 'publish-output';
      readonly spec: JobSpec;
    } & Commit)
  /**
   * Drop every staged part of the job, known or not; nothing of it may stay. `unsure`, here and above: indexes of the output's tasks
   * whose attempts may have staged what nobody was told of, because their worker died first.
   */
  | {
      readonly type: 'discard-output';
      readonly spec: JobSpec;
      readonly parts: readonly OpenPart[];
      readonly unsure: readonly number[];
      readonly unsureMaps?: readonly number[];
    }
  /** What each accepted map made, for people who compare two runs. Nothing waits for it. */
  | {
      readonly type: 'keep-map-outputs';
      readonly spec: JobSpec;
      readonly outputs: readonly MapOutputLine[];
    }
  /** Drop one part of an attempt that lost and spoke too late for the discards of its job. Nothing waits for it. */
  | { readonly type: 'discard-part'; readonly spec: JobSpec; readonly part: OpenPart }
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
  /** What the accepted maps skipped, in their order; missing when nothing. */
  readonly bad?: readonly BadPart[];
  /** Of a job with reduces: what was compared before the commit; and what each part consumed, in their order. */
  readonly audit?: JobAudit;
  readonly consumed?: readonly SegmentCounts[];
  /** Missing when no map was seen to differ. */
  readonly differences?: readonly DifferenceView[];
}

/** A staged object of bad records, and the map that made it. */
export interface BadPart {
  readonly map: number;
  readonly part: StagedPart;
}

export interface JobOutcome {
  readonly state: 'FAILED' | 'CANCELLED';
  /** It had begun to commit: some of its parts may be visible. */
  readonly hasCommitBegun?: true;
  readonly cause: JobCause;
}

/** What a commit does: decided once, and durable, so that whoever leads next does the same. */
export interface Commit {
  /** The winners' parts, in the order of partitions (or of maps, for a map-only job). */
  readonly parts: readonly StagedPart[];
  /** Staged by attempts that lost or were revoked: dropped, never published. Dropping one twice is no error. */
  readonly discards: readonly OpenPart[];
  readonly unsure: readonly number[];
  /** Of a job that may skip records: the same for its maps and what they skipped. */
  readonly unsureMaps?: readonly number[];
  readonly success: SuccessFacts;
}

/** What bounds the attempts of a task, across coordinators. */
export interface TaskCharges {
  readonly failures: number;
  /** Workers that died running it. */
  readonly deaths: readonly WorkerId[];
  readonly failedOn: readonly WorkerId[];
  /** By fingerprint, who reported this fault of the user's. */
  readonly userFaults: readonly (readonly [fingerprint: string, reporters: readonly WorkerId[]])[];
  /** Reduces: times that a corrupt segment made it start again. */
  readonly sentBack: number;
}

/**
 * Durable decisions, in the order they were made; JSON as they stand. A core that is given them all comes to the same state, but for
 * what its workers can say again: map outputs, and what runs.
 */
export type PersistRecord = { readonly at: number } & (
  | { readonly type: 'job-accepted'; readonly spec: JobSpec }
  | { readonly type: 'job-planned'; readonly jobId: JobId; readonly splits: readonly Split[] }
  /** Range partition: the cut points of every map from here on, in base64. */
  | { readonly type: 'job-sampled'; readonly jobId: JobId; readonly cutPoints: readonly string[] }
  /** Its first task was assigned. */
  | { readonly type: 'job-started'; readonly jobId: JobId }
  /** Staging of it has begun. Whoever leads next drops it unless it is accepted. */
  | { readonly type: 'part-opened'; readonly attempt: AttemptId; readonly part: OpenPart }
  | {
      readonly type: 'part-accepted';
      readonly attempt: AttemptId;
      readonly part: StagedPart;
      readonly workerId: WorkerId;
      readonly inputRecords: number;
      readonly inputBytes: number;
      /** What a reduce consumed; nothing for the map of a map-only job. */
      readonly consumed: SegmentCounts;
      /** Reduces: what of it went through user code. */
      readonly reduced?: PairCounts;
      readonly counters: Counters;
      /** What the map of a map-only job skipped. */
      readonly bad?: BadRecordsReport;
    }
  | { readonly type: 'part-revoked'; readonly attempt: AttemptId; readonly reason: string }
  /** What this task has cost so far: its last record counts. */
  | {
      readonly type: 'task-charged';
      readonly jobId: JobId;
      readonly task: TaskRef;
      readonly charges: TaskCharges;
    }
  /** For those who ask what failed. */
  | { readonly type: 'attempt-failed'; readonly jobId: JobId; readonly failed: FailedAttemptView }
  /** With what was known before of these attempts. */
  | { readonly type: 'map-differed'; readonly jobId: JobId; readonly difference: DifferenceView }
  | { readonly type: 'job-committing'; readonly jobId: JobId; readonly commit: Commit }
  | { readonly type: 'job-stopping'; readonly jobId: JobId; readonly outcome: JobOutcome }
  | {
      readonly type: 'job-ended';
      readonly jobId: JobId;
      readonly state: JobState;
      readonly cause: JobCause | null;
      /** As it was left; all that is known of it from here on. */
      readonly view: JobView;
    }
  | { readonly type: 'worker-joined'; readonly workerId: WorkerId }
  | { readonly type: 'worker-gone'; readonly workerId: WorkerId }
);

export interface Step {
  readonly persist: readonly PersistRecord[];
  readonly effects: readonly Effect[];
}
