/** The life of an attempt: start, cancel, end; and the places it holds on its worker meanwhile. */
import { assert } from '../../lib/assert.ts';
import { type AttemptId, attemptKey } from '../../lib/ids.ts';
import type { OpenPart } from '../../lib/job-spec.ts';
import type { TaskInput } from './effects.ts';
import { IndexSet } from './index-set.ts';
import { type AttemptEnd, emitEnded, emitStarted } from './job-events.ts';
import { rerunUnlocated, sendSnapshot, subscribe, unsubscribe } from './locations.ts';
import { dropOpenParts } from './parts.ts';
import { updatePlaces } from './places.ts';
import type { Attempt, FetchState, Job, Task, Worker } from './state.ts';
import { tell } from './story.ts';
import { markIdle, markRunning, noAttempts } from './tasks.ts';
import type { Turn } from './turn.ts';

const noParts: readonly OpenPart[] = [];

export interface AttemptOptions {
  readonly backup: boolean;
  readonly isolated: boolean;
  /** For the story: why this task, here, now. */
  readonly cause: string;
}

/** Holds a CPU slot; otherwise it is a reduce that fetches, which has places of its own. */
export function holdsSlot(attempt: Attempt): boolean {
  return attempt.fetch === undefined || attempt.fetch.complete;
}

export function startAttempt(
  turn: Turn,
  job: Job,
  task: Task,
  worker: Worker,
  options: AttemptOptions,
): Attempt {
  const number = task.attemptsStarted++;
  const id = { jobId: job.spec.jobId, kind: task.kind, index: task.index, attempt: number };
  const attempt = createAttempt(turn, { ...id, epoch: turn.state.config.epoch }, job, task, worker, options);
  join(attempt);
  if (job.startedAtMs === null) {
    job.startedAtMs = turn.now;
    turn.persist.push({ type: 'job-started', at: turn.now, jobId: job.spec.jobId });
  }
  if (options.backup) countBackup(turn, attempt);
  turn.effects.push({
    type: 'send-assignment',
    workerId: worker.id,
    attempt: attempt.id,
    job: job.info,
    input: inputOf(turn, job, task),
  });
  emitStarted(turn, attempt);
  takePlace(turn, attempt);
  if (attempt.fetch) sendSnapshot(turn, job, worker, [attempt]);
  tell(
    turn.state,
    job,
    task,
    options.backup ? 'backup assigned' : 'assigned',
    options.cause,
    placeOf(attempt),
  );
  turn.changed.add(job.spec.jobId);
  return attempt;
}

/** An attempt of an earlier coordinator that its worker still runs, as if it had been started here. */
export function resumeAttempt(turn: Turn, job: Job, task: Task, worker: Worker, id: AttemptId): Attempt {
  const options = { backup: task.status === 'running', isolated: false };
  const attempt = createAttempt(turn, id, job, task, worker, options);
  task.attemptsStarted = Math.max(task.attemptsStarted, id.attempt + 1);
  join(attempt);
  if (options.backup) countBackup(turn, attempt);
  takePlace(turn, attempt);
  return attempt;
}

function join(attempt: Attempt): void {
  const { job, task } = attempt;
  markRunning(job, task);
  task.attempts = [...task.attempts, attempt];
  job.attemptsAlive++;
  job[task.kind].attemptsAlive++;
}

function countBackup(turn: Turn, { job, task }: Attempt): void {
  turn.state.backupsAlive++;
  job[task.kind].backups++;
  task.backedUp = true;
}

/** On its worker, and among those who are told of locations. */
function takePlace({ state }: Turn, attempt: Attempt): void {
  const { worker, job } = attempt;
  worker.attempts.set(attempt.key, attempt);
  worker.jobs.add(job.spec.jobId);
  if (attempt.isolated) worker.isolated = attempt;
  if (attempt.fetch) {
    worker.fetching++;
    subscribe(attempt);
  } else worker.slotsUsed++;
  updatePlaces(state, worker);
}

function createAttempt(
  { now }: Turn,
  id: AttemptId,
  job: Job,
  task: Task,
  worker: Worker,
  { backup, isolated }: Pick<AttemptOptions, 'backup' | 'isolated'>,
): Attempt {
  return {
    id,
    key: attemptKey(id),
    job,
    task,
    worker,
    assignedAtMs: now,
    backup,
    isolated,
    status: 'running',
    started: false,
    progress: undefined,
    openParts: noParts,
    fetch: task.kind === 'reduce' ? createFetch(job) : undefined,
  };
}

function createFetch({ map, locationVersion }: Job): FetchState {
  return {
    fetched: new IndexSet(map.total),
    complete: false,
    assignedVersion: locationVersion,
    unconfirmed: new Map(),
  };
}

function inputOf({ state }: Turn, job: Job, task: Task): TaskInput {
  switch (task.kind) {
    case 'sample':
      return { kind: 'sample', split: job.sampleSplits[task.index]!, keysMax: state.config.sampleKeysMax };
    case 'map':
      return { kind: 'map', split: job.splits[task.index]! };
    case 'reduce':
      return { kind: 'reduce', maps: job.map.total };
  }
}

/** For story lines. */
export function placeOf(attempt: Attempt): { attempt: number; worker: string } {
  return { attempt: attempt.id.attempt, worker: attempt.worker.id };
}

/** Asks the worker to stop it. It keeps its place until it reports, and whatever it reports changes nothing (I5). */
export function cancelAttempt(turn: Turn, attempt: Attempt, reason: string): void {
  if (attempt.status === 'cancelling') return;
  unsubscribe(attempt);
  attempt.status = 'cancelling';
  dropOpenParts(turn, attempt);
  const { id, worker, job, task } = attempt;
  turn.effects.push({ type: 'send-cancel', workerId: worker.id, attempt: id, reason });
  tell(turn.state, job, task, 'cancelled', reason, placeOf(attempt));
}

/** The attempt is over: it leaves its worker and its task. What becomes of the task is the caller's to say. */
export function endAttempt(turn: Turn, attempt: Attempt, end: AttemptEnd): void {
  const { worker, job, task } = attempt;
  assert(worker.attempts.delete(attempt.key), 'an attempt ends once');
  job.restored?.over.add(attempt.key);
  unsubscribe(attempt);
  if (attempt.status === 'running') dropOpenParts(turn, attempt);
  if (holdsSlot(attempt)) worker.slotsUsed--;
  else worker.fetching--;
  updatePlaces(turn.state, worker);
  if (worker.isolated === attempt) worker.isolated = undefined;
  if (attempt.backup) turn.state.backupsAlive--;
  const others = task.attempts.filter((other) => other !== attempt);
  task.attempts = others.length > 0 ? others : noAttempts;
  const table = job[task.kind];
  table.attemptsAlive--;
  table.runningRecords -= attempt.progress?.recordsIn ?? 0;
  table.runningBytes -= attempt.progress?.bytesIn ?? 0;
  job.attemptsAlive--;
  if (job.attemptsAlive === 0) turn.drained.add(job);
  emitEnded(turn, attempt, end);
  turn.wantsSchedule = true;
  turn.changed.add(job.spec.jobId);
}

export function runningAttempts(task: Task): Attempt[] {
  return task.attempts.filter((attempt) => attempt.status === 'running');
}

/** Back to waiting, when no attempt of the task runs any more. A reduce that starts again needs every map output again. */
export function releaseTask(turn: Turn, job: Job, task: Task): void {
  if (task.status !== 'running' || runningAttempts(task).length > 0) return;
  markIdle(turn.state, job, task);
  turn.wantsSchedule = true;
  if (task.kind === 'reduce') rerunUnlocated(turn, job, task);
}
