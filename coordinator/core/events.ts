/**
 * Everything that can happen to the coordinator. Time, ids and seeds come in here and nowhere else: the core has no clock,
 * no random and no I/O. Events from workers may be late, duplicate or of an attempt that is no more; step() fences them.
 */
import type { ErrorCode } from '../../lib/errors.ts';
import type { AttemptId, JobId, WorkerId } from '../../lib/ids.ts';
import type { JobSpec, Split } from '../../lib/job-spec.ts';
import type { MapCopy } from '../../lib/map-copy.ts';
import type {
  AttemptProgress,
  AttemptReport,
  FetchProgress,
  FetchTrouble,
  PartOpened,
  WorkerInfo,
  WorkerUsage,
} from '../../lib/reports.ts';
import type { PersistRecord } from './effects.ts';

interface At {
  /** Milliseconds since the epoch. Never goes back between two events. */
  readonly now: number;
}

export interface OperationError {
  readonly code: ErrorCode;
  readonly message: string;
  readonly retryable: boolean;
}

export type Event = At &
  // The first event of every coordinator: all that those before it made durable, in order; none on a new store.
  (
    | { readonly type: 'journal-replayed'; readonly records: readonly PersistRecord[] }
    | { readonly type: 'job-submitted'; readonly spec: JobSpec }
    | { readonly type: 'cancel-requested'; readonly jobId: JobId; readonly reason: string }
    // Results of operations: exactly one per effect of the same job (effects.ts).
    | { readonly type: 'splits-listed'; readonly jobId: JobId; readonly splits: readonly Split[] }
    | { readonly type: 'listing-failed'; readonly jobId: JobId; readonly error: OperationError }
    // Of the maps that were asked for; none of those whose copy is not there, not whole, or out of reach.
    | {
        readonly type: 'copies-found';
        readonly jobId: JobId;
        readonly maps: readonly number[];
        readonly copies: readonly MapCopy[];
      }
    | { readonly type: 'output-published'; readonly jobId: JobId }
    | { readonly type: 'publish-failed'; readonly jobId: JobId; readonly error: OperationError }
    | { readonly type: 'output-discarded'; readonly jobId: JobId }
    // Workers. `running` is what the worker says it still runs, after a reconnect; `held` are the map outputs on its disk, and
    // `replaces` dead workers whose scratch folder it took over.
    | {
        readonly type: 'worker-joined';
        readonly worker: WorkerInfo;
        readonly running: readonly AttemptId[];
        readonly held: readonly AttemptId[];
        readonly replaces: readonly WorkerId[];
        /** Of which it has anything: it is to hear of their end. */
        readonly jobs: readonly JobId[];
      }
    | {
        readonly type: 'worker-heartbeat';
        readonly workerId: WorkerId;
        readonly attempts: readonly AttemptProgress[];
        readonly usage: WorkerUsage;
      }
    // The stream broke: nothing is assigned until it is back, the lease goes on.
    | { readonly type: 'worker-disconnected'; readonly workerId: WorkerId }
    | { readonly type: 'worker-left'; readonly workerId: WorkerId }
    // It was told to stop, or has taken in `send-drain`: nothing new for it.
    | { readonly type: 'worker-draining'; readonly workerId: WorkerId }
    // An operator asks for a worker to be drained.
    | { readonly type: 'drain-requested'; readonly workerId: WorkerId; readonly reason: string }
    // User code is about to run in these.
    | {
        readonly type: 'attempts-started';
        readonly workerId: WorkerId;
        readonly attempts: readonly AttemptId[];
      }
    | { readonly type: 'part-opened'; readonly workerId: WorkerId; readonly opened: PartOpened }
    | { readonly type: 'attempt-reported'; readonly workerId: WorkerId; readonly report: AttemptReport }
    // These outputs on its disk are in the store as well, whole.
    | { readonly type: 'maps-copied'; readonly workerId: WorkerId; readonly attempts: readonly AttemptId[] }
    | { readonly type: 'fetch-progressed'; readonly workerId: WorkerId; readonly progress: FetchProgress }
    | { readonly type: 'fetch-troubled'; readonly workerId: WorkerId; readonly trouble: FetchTrouble }
    // Leases, backups, quarantines and retries fall due; sent about once a second.
    | { readonly type: 'tick' }
  );

export type EventOf<T extends Event['type']> = Extract<Event, { type: T }>;
