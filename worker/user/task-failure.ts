/** From whatever was thrown while a task ran to the AttemptFailure that is reported. */
import type { AttemptFailure } from '../../lib/attempt-failure.ts';
import { MillraceError } from '../../lib/errors.ts';
import { limits } from '../../lib/limits.ts';
import { MalformedRecordError } from '../../lib/malformed-record.ts';
import { userStack } from '../../lib/user-stack.ts';

const recordCharsMax = 512;

/** Carries a failure that is known as data already up to where the attempt ends. */
export class TaskFailure extends Error {
  override name = 'TaskFailure';
  readonly failure: AttemptFailure;

  constructor(failure: AttemptFailure, options?: { cause?: unknown }) {
    super(failure.message, options);
    this.failure = failure;
  }
}

/** Which function of the job ran, as UserError.where names it. */
export type UserFunction = 'map' | 'reduce' | 'combine' | 'partition' | 'setup' | 'teardown' | 'load';

/** The failure for what user code threw: anything, not only an Error. */
export function userFailure(thrown: unknown, where: string, record: string): AttemptFailure {
  const isError =
    thrown instanceof Error || (typeof thrown === 'object' && thrown !== null && 'message' in thrown);
  const error = thrown as { name?: unknown; message?: unknown };
  return {
    kind: 'user-error',
    name: isError && typeof error.name === 'string' ? error.name.slice(0, 128) : typeof thrown,
    message: (isError ? String(error.message) : printThrown(thrown)).slice(0, limits.failureCharsMax),
    stack: userStack(thrown),
    where,
    record: record.slice(0, recordCharsMax),
  };
}

function printThrown(thrown: unknown): string {
  try {
    return `threw ${typeof thrown === 'string' ? JSON.stringify(thrown) : String(thrown)}`;
  } catch {
    return 'threw a value that cannot be printed';
  }
}

/** Codes of our own errors that say that the job gave us something wrong. */
const jobFaults: ReadonlySet<string> = new Set([
  'not-encodable',
  'limit-exceeded',
  'invalid-argument',
  'wrong-state',
  'job-file',
]);

/**
 * What is thrown while user code runs, through our own code or not, as a TaskFailure where the job is at fault; our own errors
 * that are not its fault (a full disk, a cancelled attempt) pass as they are. `where` and `record` say what ran.
 */
export function blameUser(thrown: unknown, where: UserFunction, record: string): unknown {
  if (thrown instanceof TaskFailure) return thrown;
  if (thrown instanceof MillraceError && !jobFaults.has(thrown.code)) return thrown;
  return new TaskFailure(userFailure(thrown, where, record), { cause: thrown });
}

/** What is known where the attempt ends and cannot be seen from the error. */
export interface FailurePlace {
  /** The local folder that the attempt writes to. */
  readonly directory: string;
  /** The first object of the input. */
  readonly inputUri: string;
}

/** The single funnel: everything thrown out of a task becomes data here. */
export function classifyFailure(thrown: unknown, place: FailurePlace): AttemptFailure {
  if (thrown instanceof TaskFailure) return thrown.failure;
  if (thrown instanceof MalformedRecordError) {
    const { message, uri, line, offset } = thrown;
    return { kind: 'malformed-record', message, uri, line, offset };
  }
  const error = MillraceError.from(thrown);
  const message = error.message.slice(0, limits.failureCharsMax);
  switch (error.code) {
    case 'no-space':
      return { kind: 'no-space', message, path: place.directory };
    case 'input-changed':
      return { kind: 'input-changed', message, uri: place.inputUri };
    case 'cancelled':
      return { kind: 'cancelled', message };
    case 'store-failed':
    case 'unavailable':
    case 'timeout':
    case 'not-found':
    case 'permission-denied':
    case 'output-exists':
      return { kind: 'store-failed', message };
    case 'internal':
      return { kind: 'internal', message: internalMessage(error) };
    default:
      return { kind: 'internal', message };
  }
}

function internalMessage(error: MillraceError): string {
  const cause = error.cause instanceof Error ? error.cause : error;
  return (cause.stack ?? cause.message).slice(0, limits.failureCharsMax);
}
