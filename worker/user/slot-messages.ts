/**
 * What the main thread and a slot thread say to each other: one `run` at a time, its log lines and the part it stages, one `ended`. Progress does not
 * travel in messages: it is in shared memory (progress.ts). Both ends are this program, so nothing is checked here.
 */
import type { MessagePort } from 'node:worker_threads';
import type { AttemptFailure } from '../../lib/attempt-failure.ts';
import type { AttemptId } from '../../lib/ids.ts';
import type { Counters, JobSpec, OpenPart, Split } from '../../lib/job-spec.ts';
import type { Profile } from '../../lib/profile.ts';
import type { MapTaskResult } from '../map/map-task.ts';
import type { ReduceTaskResult, SegmentOrigin } from '../reduce/reduce-task.ts';
import type { ScratchShare } from '../shuffle/scratch-space.ts';
import type { SegmentSource } from '../shuffle/segment-reader.ts';

/** What a slot runs. */
export type SlotTask = {
  readonly spec: JobSpec;
  readonly attempt: AttemptId;
  /** An existing local folder that the attempt has for itself. */
  readonly directory: string;
  /** Where bundles are kept, by hash. */
  readonly bundleDirectory: string;
  /** Its account of the scratch disk; without one there is no limit. */
  readonly scratch?: ScratchShare;
} & (
  | {
      readonly kind: 'map';
      readonly split: Split;
      readonly cutPoints: readonly Uint8Array[];
    }
  | { readonly kind: 'sample'; readonly split: Split; readonly keysMax: number }
  | {
      readonly kind: 'reduce';
      readonly maps: number;
      /** Memory sources lie in shared memory: nothing is copied on the way. */
      readonly sources: readonly SegmentSource[];
      readonly origins: readonly SegmentOrigin[];
    }
);

export type SlotResult =
  | ({ readonly kind: 'map' } & MapTaskResult)
  | { readonly kind: 'sample'; readonly keys: readonly Uint8Array[] }
  | ({ readonly kind: 'reduce' } & ReduceTaskResult);

/** Given to a thread when it starts. */
export interface SlotData {
  readonly memoryBytesMax: number;
}

export type ToSlot =
  /** The first. Where the thread asks for S3 credentials: s3-access-channel.ts. */
  | { readonly type: 'start'; readonly s3: MessagePort }
  | { readonly type: 'run'; readonly task: SlotTask; readonly progress: SharedArrayBuffer }
  | { readonly type: 'cancel'; readonly reason: string };

export type SlotEnd =
  | { readonly kind: 'done'; readonly result: SlotResult }
  | { readonly kind: 'failed'; readonly failure: AttemptFailure };

export type FromSlot =
  | { readonly type: 'log'; readonly atMs: number; readonly text: string }
  | { readonly type: 'part-opening' }
  | { readonly type: 'part-opened'; readonly part: OpenPart }
  | {
      readonly type: 'ended';
      readonly end: SlotEnd;
      readonly counters: Counters;
      readonly profile?: Profile | undefined;
      /** The thread's state is not to be trusted any more: it takes no other task. */
      readonly tainted: boolean;
    };
