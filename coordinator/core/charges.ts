/**
 * What tasks were charged with, kept across coordinators: otherwise a task that fails whenever it is tried, or takes its workers down, would
 * be tried as often again after each restart (I11).
 */
import type { FailedAttemptView } from '../../lib/job-view.ts';
import type { PersistRecord, TaskCharges } from './effects.ts';
import type { CoreState, Job, Task } from './state.ts';
import { taskTrouble, waitAgain } from './tasks.ts';
import type { Turn } from './turn.ts';

const failedAttemptsShown = 20;

/** After each charge. */
export function persistCharges(turn: Turn, job: Job, task: Task): void {
  turn.persist.push(chargesRecord(job, task, turn.now));
}

/** What is shown of failed attempts is the last of them. */
export function showFailed({ failedAttempts }: Job, failed: FailedAttemptView): void {
  if (failedAttempts.length >= failedAttemptsShown) failedAttempts.shift();
  failedAttempts.push(failed);
}

/** For a snapshot. */
export function chargesRecords(job: Job, at: number): PersistRecord[] {
  const { jobId } = job.spec;
  const tasks = [...job.sample.tasks, ...job.map.tasks, ...job.reduce.tasks];
  const charged = tasks.filter(isCharged).map((task) => chargesRecord(job, task, at));
  const failed = job.failedAttempts.map(
    (one): PersistRecord => ({ type: 'attempt-failed', at, jobId, failed: one }),
  );
  return [...charged, ...failed];
}

function isCharged(task: Task): boolean {
  const { failures, deaths, sentBack } = chargesOf(task);
  return failures + deaths.length + sentBack > 0;
}

function chargesRecord({ spec }: Job, task: Task, at: number): PersistRecord {
  const { kind, index } = task;
  return { type: 'task-charged', at, jobId: spec.jobId, task: { kind, index }, charges: chargesOf(task) };
}

export function chargesOf({ kind, trouble }: Task): TaskCharges {
  return {
    failures: trouble?.failures ?? 0,
    deaths: [...(trouble?.deaths ?? [])],
    failedOn: [...(trouble?.failedOn ?? [])],
    userFaults: [...(trouble?.userFaults ?? [])].map(([fingerprint, reporters]) => [
      fingerprint,
      [...reporters],
    ]),
    // A map's outputs were condemned, not the map: those that there are now may be others.
    sentBack: kind === 'reduce' ? (trouble?.condemned ?? 0) : 0,
  };
}

export function restoreCharges(
  state: CoreState,
  job: Job,
  { task: { kind, index }, charges }: Extract<PersistRecord, { type: 'task-charged' }>,
): void {
  const task = job[kind].tasks[index];
  if (!task) return;
  const before = chargesOf(task);
  const { failures, deaths, failedOn, userFaults, sentBack } = charges;
  job[kind].failedAttempts += failures - before.failures + sentBack - before.sentBack;
  const trouble = taskTrouble(task);
  trouble.failures = failures;
  trouble.deaths.splice(0, Number.POSITIVE_INFINITY, ...deaths);
  for (const workerId of failedOn) trouble.failedOn.add(workerId);
  for (const [fingerprint, reporters] of userFaults) trouble.userFaults.set(fingerprint, [...reporters]);
  if (kind === 'reduce') trouble.condemned = sentBack;
  waitAgain(state, job, task);
}
