/**
 * Branded ids. Everything that crosses a boundary is checked here once; paths are built only from these.
 * A TaskId is `m12`, `r3` or `s0`: kind and index. An AttemptId is unique for all time: (job, task, attempt, epoch).
 */
import { MillraceError } from './errors.ts';

export type JobId = string & { readonly __brand: 'JobId' };
export type WorkerId = string & { readonly __brand: 'WorkerId' };

/** `sample` tasks read a few records of some splits to choose range partition cut points; `map` and `reduce` are the two sides. */
export type TaskKind = 'sample' | 'map' | 'reduce';

export interface TaskRef {
  readonly kind: TaskKind;
  /** Dense, from 0 within its kind. The map index is also the tie-break of the merge order. */
  readonly index: number;
}

/** Never reused. `attempt` counts from 0 within a task; `epoch` is the epoch of the coordinator that made it. */
export interface AttemptId extends TaskRef {
  readonly jobId: JobId;
  readonly attempt: number;
  readonly epoch: number;
}

const idPattern = /^[A-Za-z0-9_-]{1,64}$/;
const taskLetters: Record<TaskKind, string> = { sample: 's', map: 'm', reduce: 'r' };
const taskKinds: Record<string, TaskKind> = { s: 'sample', m: 'map', r: 'reduce' };

function checkId(text: unknown, what: string): string {
  if (typeof text === 'string' && idPattern.test(text)) return text;
  throw new MillraceError(
    'invalid-argument',
    `${what} must match ${idPattern.source}, got ${JSON.stringify(text)?.slice(0, 80)}`,
  );
}

export function toJobId(text: unknown): JobId {
  return checkId(text, 'job id') as JobId;
}

export function toWorkerId(text: unknown): WorkerId {
  return checkId(text, 'worker id') as WorkerId;
}

/** `m12`, `r3`, `s0`. */
export function formatTask(task: TaskRef): string {
  return `${taskLetters[task.kind]}${task.index}`;
}

/** The inverse of {@link formatTask}; undefined when the text is not a task name. */
export function parseTask(text: string): TaskRef | undefined {
  const match = /^([smr])(\d{1,7})$/.exec(text);
  if (!match) return undefined;
  return { kind: taskKinds[match[1]!]!, index: Number(match[2]) };
}

/** `m12.0`: the task and its attempt number; unique within a job and epoch. */
export function formatAttempt(id: Pick<AttemptId, 'kind' | 'index' | 'attempt'>): string {
  return `${formatTask(id)}.${id.attempt}`;
}

/** A string equal for equal attempt ids only: the key of maps and of file names. */
export function attemptKey(id: AttemptId): string {
  return `${id.jobId}-${formatTask(id)}-${id.attempt}-${id.epoch}`;
}

export function sameAttempt(a: AttemptId, b: AttemptId): boolean {
  return (
    a.index === b.index &&
    a.kind === b.kind &&
    a.attempt === b.attempt &&
    a.epoch === b.epoch &&
    a.jobId === b.jobId
  );
}
