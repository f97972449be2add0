/**
 * Everything the coordinator knows. Mutated only inside step(); tables are dense by index and their counts incremental.
 *
 * Job (phase; the state that users see in capitals):
 *
 *   listing ──> sampling ──> working ──────────────────> committing ──> ended
 *   SUBMITTED   MAPPING      MAPPING, then REDUCING once  COMMITTING     COMPLETED
 *      │           │         every map was done once         │
 *      └───────────┴────────────┴── failed or cancelled ─────┘ publish failed for good
 *                               v
 *                            stopping ─────────> discarding ──> ended
 *                            until no attempt    until nothing  FAILED or
 *                            is alive            is staged      CANCELLED
 *
 * Task (I10):
 *
 *            assigned              first accepted report
 *   idle ───────────────> running ───────────────────────> done
 *    ^  ^                    │                               │
 *    │  └────────────────────┘ last running attempt failed,  │
 *    │                         was lost or sent back         │
 *    └───────────────────────────────────────────────────────┘
 *      map: its output is gone and some reduce still needs it
 *      reduce: a rerun map made something else for its partition (I3)
 *
 * Attempt (alive from assignment until it reports or its worker is lost; numbers are never reused, I9):
 *
 *   running ──────────> reported: accepted, or failed
 *      │ another one won, or the job stops, or it must start again
 *      v
 *   cancelling ───────> reported: whatever it says changes nothing
 */
import type { BadRecordsReport } from '../../lib/bad-records.ts';
import type { AttemptId, JobId, TaskKind, WorkerId } from '../../lib/ids.ts';
import type {
  Counters,
  JobSpec,
  OpenPart,
  PairCounts,
  SegmentCounts,
  Split,
  StagedPart,
} from '../../lib/job-spec.ts';
import type {
  DamageView,
  DifferenceView,
  FailedAttemptView,
  JobCause,
  JobState,
} from '../../lib/job-view.ts';
import { limits } from '../../lib/limits.ts';
import type { Profile } from '../../lib/profile.ts';
import type { AttemptProgress, PartOpened, WorkerInfo, WorkerUsage } from '../../lib/reports.ts';
import type { Lane } from './choose-worker.ts';
import type { DigestTable } from './digests.ts';
import type { Commit, JobInfo, JobOutcome } from './effects.ts';
import type { IndexSet } from './index-set.ts';
import type { StoryLine } from './story.ts';

export interface CoreConfig {
  /** Epoch of this coordinator: part of every attempt id it makes. */
  readonly epoch: number;
  /** A worker silent for this long is lost. */
  readonly heartbeatTimeoutMs: number;
  /** No task younger than this gets a backup. */
  readonly backupMinRuntimeMs: number;
  /** Backups alive at once, as a share of all slots; always at least one. */
  readonly backupSlotsFraction: number;
  /** Reduces start once this share of the maps is done. */
  readonly reduceStartFraction: number;
  /** Failures of distinct tasks, not of the user's making, within the window: the worker is quarantined. */
  readonly quarantineFaults: number;
  readonly quarantineWindowMs: number;
  /** The first quarantine; each further one of the same worker is twice as long, up to the maximum. */
  readonly quarantineMs: number;
  readonly quarantineMsMax: number;
  /** A task that took this many workers down with it runs alone; */
  readonly isolateAfterDeaths: number;
  /** and after this many it is blamed. */
  readonly deathsMax: number;
  /** Times one map output may be condemned, or one reduce sent back by corrupt segments, before the job fails. */
  readonly condemnedMax: number;
  /** Reports of an unreachable map output that condemn it although its worker still heartbeats. */
  readonly unreachableReportsMax: number;
  readonly publishRetriesMax: number;
  readonly publishRetryMs: number;
  readonly sampleSplitsMax: number;
  readonly sampleKeysMax: number;
  readonly sampleRangeBytes: number;
  readonly sampleRangesPerSplit: number;
  /** Of what its scratch folder may hold: a worker over it gets new tasks only when nothing else is left to do. */
  readonly scratchHighWaterFraction: number;
  /** Waiting tasks looked at for one whose bytes lie on a free host. */
  readonly localityLookAhead: number;
  readonly storyLinesPerJobMax: number;
  readonly storyLinesPerTaskMax: number;
  /** Jobs that ended and can still be asked for. */
  readonly endedJobsMax: number;
}

export const coreConfigDefault: CoreConfig = {
  epoch: 1,
  heartbeatTimeoutMs: limits.heartbeatTimeoutMsDefault,
  backupMinRuntimeMs: 10_000,
  backupSlotsFraction: 0.1,
  reduceStartFraction: 0.05,
  quarantineFaults: 3,
  quarantineWindowMs: 300_000,
  quarantineMs: 60_000,
  quarantineMsMax: 3_600_000,
  isolateAfterDeaths: 2,
  deathsMax: 3,
  condemnedMax: 10,
  unreachableReportsMax: 3,
  publishRetriesMax: 5,
  publishRetryMs: 1_000,
  sampleSplitsMax: 10,
  sampleKeysMax: 1_000,
  sampleRangeBytes: 256 * 1024,
  sampleRangesPerSplit: 4,
  scratchHighWaterFraction: limits.scratchHighWaterFraction,
  localityLookAhead: 32,
  storyLinesPerJobMax: 1_000,
  storyLinesPerTaskMax: 32,
  endedJobsMax: 200,
};

export interface CoreState {
  readonly config: CoreConfig;
  /** Time of the last event. */
  now: number;
  /** In order of submission. */
  readonly jobs: Map<JobId, Job>;
  /** Jobs that have not ended, in order of submission. */
  readonly activeJobs: Set<Job>;
  /** Live ones, in order of joining. */
  readonly workers: Map<WorkerId, Worker>;
  jobsSubmitted: number;
  workersJoined: number;
  /** Those that are to leave. */
  readonly draining: Set<Worker>;
  /** Live ones that have room, open or not; see places.ts. */
  readonly withPlace: Readonly<Record<Lane, Set<Worker>>>;
  /** Of workers that do not drain. */
  slotsTotal: number;
  /** Backup attempts alive. */
  backupsAlive: number;
  /** While workers of the coordinator before may still come back. */
  recovery: Recovery | undefined;
}

/** Restored jobs are given nothing new meanwhile: what there still is of them shall not be made again. */
export interface Recovery {
  readonly untilMs: number;
  /** Live by the journal, and not back yet. */
  readonly awaited: Set<WorkerId>;
  /** Outputs (attemptKey) that a worker said it holds and whose report has not come again yet. */
  readonly expected: Map<WorkerId, Set<string>>;
  /** Once nobody is waited for: by job, the maps whose copies are asked for and not looked at yet. Undefined before. */
  searches: Map<JobId, readonly number[]> | undefined;
}

export type JobPhase =
  | { readonly name: 'listing' }
  | { readonly name: 'sampling' }
  | { readonly name: 'working' }
  /** `retryAtMs` is set between a failed publish and the next try. */
  | {
      readonly name: 'committing';
      readonly commit: Commit;
      readonly failures: number;
      readonly retryAtMs: number | undefined;
    }
  | { readonly name: 'stopping'; readonly outcome: JobOutcome }
  | { readonly name: 'discarding'; readonly outcome: JobOutcome }
  | { readonly name: 'ended' };

export interface Job {
  readonly spec: JobSpec;
  /** Age: smaller is older. */
  readonly order: number;
  info: JobInfo;
  phase: JobPhase;
  /** What users see. */
  shown: JobState;
  cause: JobCause | null;
  startedAtMs: number | null;
  endedAtMs: number | null;
  splits: readonly Split[];
  sampleSplits: readonly Split[];
  /** Some split says which hosts hold it. */
  hasHosts: boolean;
  sample: TaskTable;
  map: TaskTable;
  reduce: TaskTable;
  /** Attempts on workers, those being cancelled too; the job cannot end badly before this is zero. */
  attemptsAlive: number;
  /** When every map was done, last; backups of reduces count from there. */
  mapsDoneAtMs: number | undefined;
  /** What each map made for each partition; dropped when every reduce is done. */
  digests: DigestTable | undefined;
  /** Bytes per partition as first reported: an estimate of each reduce's input. */
  partitionBytes: Float64Array;
  /** Grows with each change of any location. */
  locationVersion: number;
  /** Reduces that still fetch, by worker: who must be told of locations. */
  readonly subscribers: Map<WorkerId, Set<Attempt>>;
  /** Maps that are done, have lost their output, and are needed by no reduce as things stand. */
  readonly unlocated: Set<number>;
  /** Maps whose accepted output is in the store as well. */
  mapsCopied: number;
  readonly counters: Map<string, number>;
  /** In no journal: it says what the attempts cost of which this coordinator heard. */
  profile: Profile | undefined;
  /** Staged parts that must not be published: revoked ones, and those of attempts that lost. */
  readonly discards: PartOpened[];
  /** Undefined for a job that this coordinator was given itself. */
  readonly restored: RestoredJob | undefined;
  readonly failedAttempts: FailedAttemptView[];
  /** Bounded. */
  readonly differences: DifferenceView[];
  /** Bounded. */
  readonly damages: DamageView[];
  readonly story: StoryLine[];
}

/** What is known of a job whose journal was replayed, and what is still to be heard of it. */
export interface RestoredJob {
  /** Maps of which this coordinator has not accepted any output yet. */
  mapsUnheard: number;
  /**
   * By partition, what the accepted maps made for it: so that a reduce that consumed under an earlier coordinator can be compared with
   * it. Undefined once a map made something else than before.
   */
  made: (SegmentCounts | undefined)[];
  /** Parts that attempts of earlier coordinators have begun, by openPartKey; whoever goes on takes its own back. */
  readonly openParts: Map<string, PartOpened>;
  /** Attempts (attemptKey) of earlier coordinators that this one has ended or taken back: their reports may come again, and count no more. */
  readonly over: Set<string>;
}

/** All tasks of one kind of one job. `total` outlives `tasks`, which is dropped when the job has ended. */
export interface TaskTable {
  readonly kind: TaskKind;
  readonly total: number;
  /** When its tasks could first be assigned. */
  openedAtMs: number | undefined;
  tasks: readonly Task[];
  /** Idle tasks are in exactly one of these. */
  readonly waiting: WaitingTasks;
  /** Tasks with status `running`. */
  readonly running: Set<Task>;
  done: number;
  /** Attempts alive, those being cancelled too: the measure of fair share. */
  attemptsAlive: number;
  failedAttempts: number;
  backups: number;
  reruns: number;
  /** Sums over accepted attempts. */
  inputRecords: number;
  inputBytes: number;
  counts: SegmentCounts;
  /** Maps: records skipped. */
  badRecords: number;
  /** What running attempts have read so far, by their last heartbeat. */
  runningRecords: number;
  runningBytes: number;
  /** Of the last accepted attempts, oldest first, bounded. */
  readonly durations: TaskDuration[];
}

export interface TaskDuration {
  readonly ms: number;
  readonly inputBytes: number;
}

/** Most urgent first. */
export interface WaitingTasks {
  /** Suspected of killing workers: run alone. */
  readonly isolated: IndexSet;
  /** Done before, output lost: reduces are waiting for these. */
  readonly reruns: IndexSet;
  /** Failed or died before. */
  readonly retries: IndexSet;
  readonly fresh: IndexSet;
}

export type TaskStatus = 'idle' | 'running' | 'done';

export interface Task {
  readonly kind: TaskKind;
  readonly index: number;
  status: TaskStatus;
  /** When it last became idle again; 0 for one that was never assigned. */
  waitingSinceMs: number;
  /** The number of the next attempt. */
  attemptsStarted: number;
  /** Alive. Replaced, never mutated: most tasks share the empty array. */
  attempts: readonly Attempt[];
  /** The winner. A map keeps it while it runs again, so that totals and digests can be compared and replaced. */
  accepted: Accepted | undefined;
  /** Who serves the accepted map output; undefined when it is lost, and for other kinds. */
  holder: Worker | undefined;
  /** The accepted map output is in the store as well, whole. */
  copied: boolean;
  /** job.locationVersion when an output was last lost: a reduce assigned before may hold bytes of it. */
  lostAtVersion: number;
  /** A backup was started since it was last idle. */
  backedUp: boolean;
  /** Undefined while nothing went wrong. */
  trouble: TaskTrouble | undefined;
}

export interface Accepted {
  readonly id: AttemptId;
  readonly workerId: WorkerId;
  readonly inputRecords: number;
  readonly inputBytes: number;
  /** Map: sum over what it made for all partitions. Reduce: what it consumed. */
  readonly counts: SegmentCounts;
  /** Reduces: what of it went through user code. */
  readonly reduced?: PairCounts | undefined;
  readonly counters: Counters;
  readonly part: StagedPart | undefined;
  /** Of a map that skipped records. */
  readonly bad?: BadRecordsReport | undefined;
  /** Sample tasks only. */
  readonly keys: readonly Uint8Array[];
}

export interface TaskTrouble {
  /** Charged failures. */
  failures: number;
  /** Workers lost while an attempt of this task had started there. */
  readonly deaths: WorkerId[];
  readonly failedOn: Set<WorkerId>;
  /** Fingerprint of a user fault -> who reported it, one entry per report. */
  readonly userFaults: Map<string, WorkerId[]>;
  /** Times its output was condemned (map) or it was sent back by a corrupt segment (reduce). */
  condemned: number;
  /** Reports that the current output is unreachable. */
  unreachable: number;
  readonly story: StoryLine[];
}

export type AttemptStatus = 'running' | 'cancelling';

export interface Attempt {
  readonly id: AttemptId;
  readonly key: string;
  readonly job: Job;
  readonly task: Task;
  readonly worker: Worker;
  readonly assignedAtMs: number;
  readonly backup: boolean;
  /** Nothing else is assigned to its worker while it lives. */
  readonly isolated: boolean;
  status: AttemptStatus;
  /** The worker was seen working on it: if the worker dies now, the task may be why. */
  started: boolean;
  progress: AttemptProgress | undefined;
  /** What it stages, from when it said so; at most one at each place. Replaced, never mutated. */
  openParts: readonly OpenPart[];
  /** Reduces only. */
  readonly fetch: FetchState | undefined;
}

export interface FetchState {
  /** Maps whose verified segment the attempt holds. */
  readonly fetched: IndexSet;
  /** Holds everything: takes a slot from here on and needs no location any more. */
  complete: boolean;
  /** job.locationVersion at assignment. */
  readonly assignedVersion: number;
  /** Digests of segments that it holds of maps whose output this coordinator does not know yet, by map. */
  readonly unconfirmed: Map<number, number>;
}

export interface Worker {
  info: WorkerInfo;
  readonly id: WorkerId;
  readonly order: number;
  /** Nothing is assigned while its stream is broken. */
  connected: boolean;
  /** It is to leave: it gets nothing new. For good. */
  draining: boolean;
  /** It was told on this stream that it may leave. */
  drained: boolean;
  lastHeartbeatMs: number;
  usage: WorkerUsage | undefined;
  /** Its scratch folder is nearly full. */
  crowded: boolean;
  /** By attemptKey; those being cancelled too, because they hold their place until they report. */
  readonly attempts: Map<string, Attempt>;
  /** CPU slots held: sample and map attempts, and reduces that hold all their input. May pass `slots` by such reduces only. */
  slotsUsed: number;
  /** Reduces that still fetch; at most `slots`. */
  fetching: number;
  isolated: Attempt | undefined;
  /** Accepted map outputs it serves, by job. */
  readonly outputs: Map<JobId, Set<number>>;
  /** Jobs of which it may hold something: they must hear when the job has ended. */
  readonly jobs: Set<JobId>;
  /** Input bytes per ms relative to the jobs' means, exponentially smoothed; 1 is average. */
  speed: number;
  /** What that is made of: what its maps should have taken, and took; recent ones count more. */
  readonly history: { expectedMs: number; actualMs: number };
  /** As `speed`, but by maps that run and are late: it is at most so fast. 1 when none is. */
  lag: number;
  /** Since when it is given nothing because others will be sooner. */
  heldBackAtMs: number | undefined;
  /** Recent failures that were not the user's. */
  faults: WorkerFault[];
  quarantines: number;
  quarantinedUntilMs: number;
}

export interface WorkerFault {
  readonly atMs: number;
  /** Job and task. */
  readonly task: string;
}

export function createState(config: Partial<CoreConfig> = {}): CoreState {
  return {
    config: { ...coreConfigDefault, ...config },
    now: 0,
    jobs: new Map(),
    activeJobs: new Set(),
    workers: new Map(),
    jobsSubmitted: 0,
    workersJoined: 0,
    draining: new Set(),
    withPlace: { cpu: new Set(), fetch: new Set() },
    slotsTotal: 0,
    backupsAlive: 0,
    recovery: undefined,
  };
}
