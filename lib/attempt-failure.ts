/**
 * Why a task attempt failed: data with named fields, sent over the wire and kept in the journal; never a parsed message.
 * A `user-error` is charged to the task; a lost worker is not.
 */
import type { WorkerId } from './ids.ts';

/** An error thrown by the job's own code, with what the user needs to find it. */
export interface UserError {
  /** Constructor name: `TypeError`. */
  readonly name: string;
  readonly message: string;
  /** Source-mapped frames of the user's own files, at most 8 KiB; empty when there is none. */
  readonly stack: string;
  /** Which function ran: `map`, `reduce`, `combine`, `partition`, `setup`, `teardown`, or `load` for the module itself. */
  readonly where: string;
  /** The input object and byte offset (map side), or the key (reduce side), as text; empty when unknown. */
  readonly record: string;
}

export type AttemptFailure =
  | ({ readonly kind: 'user-error' } & UserError)
  | {
      readonly kind: 'malformed-record';
      readonly message: string;
      readonly uri: string;
      readonly line: number;
      readonly offset: number;
    }
  /** One task alone skipped more than the job may. */
  | { readonly kind: 'bad-records'; readonly message: string }
  | { readonly kind: 'out-of-memory'; readonly message: string; readonly heapBytesMax: number }
  | { readonly kind: 'timeout'; readonly message: string; readonly idleMs: number }
  | { readonly kind: 'no-space'; readonly message: string; readonly path: string }
  | {
      readonly kind: 'corrupt-segment';
      readonly message: string;
      readonly map: number;
      readonly mapAttempt: number;
      readonly worker: WorkerId;
    }
  /** What a reduce had fetched, and was whole then, is not any more: the disk or the memory of its own worker. */
  | {
      readonly kind: 'corrupt-copy';
      readonly message: string;
      readonly map: number;
      readonly mapAttempt: number;
      readonly worker: WorkerId;
    }
  /** A peer does not take the ticket or the certificate of the fetching worker. */
  | { readonly kind: 'fetch-refused'; readonly message: string; readonly worker: WorkerId }
  | { readonly kind: 'input-changed'; readonly message: string; readonly uri: string }
  | { readonly kind: 'store-failed'; readonly message: string }
  | { readonly kind: 'worker-lost'; readonly message: string; readonly worker: WorkerId }
  | { readonly kind: 'cancelled'; readonly message: string }
  | { readonly kind: 'internal'; readonly message: string };

export type AttemptFailureKind = AttemptFailure['kind'];

/** Failures caused by the job or its input: the same one on two workers ends the job early. */
export function isUserFault(failure: AttemptFailure): boolean {
  return (
    failure.kind === 'user-error' ||
    failure.kind === 'malformed-record' ||
    failure.kind === 'bad-records' ||
    failure.kind === 'input-changed'
  );
}

/** Equal for failures that are the same mistake: the key of the early stop. Line numbers in the stack are kept, record offsets too. */
export function failureFingerprint(failure: AttemptFailure): string {
  switch (failure.kind) {
    case 'user-error':
      return `user-error\n${failure.where}\n${failure.name}\n${failure.message}\n${failure.record}`;
    case 'malformed-record':
      return `malformed-record\n${failure.uri}\n${failure.offset}`;
    case 'input-changed':
      return `input-changed\n${failure.uri}`;
    default:
      return failure.kind;
  }
}

/** One line for logs and lists. */
export function describeFailure(failure: AttemptFailure): string {
  switch (failure.kind) {
    case 'user-error':
      return `${failure.name}: ${failure.message} (in ${failure.where}${failure.record && `, ${failure.record}`})`;
    case 'malformed-record':
      return `${failure.message} at ${failure.uri}:${failure.line} (byte ${failure.offset})`;
    default:
      return `${failure.kind}: ${failure.message}`;
  }
}
