/**
 * What a failure or a loss costs, and whom. The user's mistakes and the machine's go to the task and end the job at a bound; a
 * machine's also go to its worker; a corrupt segment goes to the worker on whose disk it is; a lost worker costs nothing, unless it keeps dying of
 * the same task (I11, I19).
 */
import type { AttemptFailure } from '../../lib/attempt-failure.ts';
import { describeFailure, failureFingerprint, isUserFault } from '../../lib/attempt-failure.ts';
import { formatAttempt, formatTask } from '../../lib/ids.ts';
import { endAttempt, placeOf, releaseTask } from './attempts.ts';
import { persistCharges, showFailed } from './charges.ts';
import { condemnOutput } from './condemn.ts';
import { stopJob } from './ending.ts';
import { recordFault } from './quarantine.ts';
import type { Attempt, Job, Task, Worker } from './state.ts';
import { tellTrouble } from './story.ts';
import { taskTrouble } from './tasks.ts';
import { answer, say, type Turn } from './turn.ts';

/** A running attempt reported a failure. */
export function attemptFailed(turn: Turn, attempt: Attempt, failure: AttemptFailure): void {
  const isSentBack = failure.kind === 'cancelled' || failure.kind === 'worker-lost';
  endAttempt(turn, attempt, isSentBack ? { outcome: 'cancelled' } : { outcome: 'failed', failure });
  answer(turn, attempt.worker, attempt.id, true);
  if (isSentBack) return sentBack(turn, attempt, describeFailure(failure));
  show(turn, attempt, failure);
  if (failure.kind === 'corrupt-segment' || failure.kind === 'corrupt-copy')
    return segmentCorrupt(turn, attempt, failure);
  charge(turn, attempt, failure);
}

/** Not the task's fault: it waits again and nothing is counted. */
export function sentBack(turn: Turn, attempt: Attempt, cause: string): void {
  const { job, task } = attempt;
  tellTrouble(turn.state, job, task, 'sent back', cause, placeOf(attempt));
  releaseTask(turn, job, task);
}

function show(turn: Turn, attempt: Attempt, failure: AttemptFailure): void {
  const { job, task, worker, id } = attempt;
  job[task.kind].failedAttempts++;
  const shown = {
    task: formatTask(task),
    attempt: id.attempt,
    worker: worker.id,
    atMs: turn.now,
    failure,
  };
  showFailed(job, shown);
  turn.persist.push({ type: 'attempt-failed', at: turn.now, jobId: job.spec.jobId, failed: shown });
  tellTrouble(turn.state, job, task, 'failed', describeFailure(failure), placeOf(attempt));
  say(turn, 'warn', { attempt }, `${formatAttempt(id)} failed on ${worker.id}: ${describeFailure(failure)}`);
}

function charge(turn: Turn, attempt: Attempt, failure: AttemptFailure): void {
  const { job, task, worker } = attempt;
  // No other attempt could skip less, and what its task met alone is too much for the job.
  if (failure.kind === 'bad-records') {
    const message = `${formatTask(task)} alone: ${failure.message}; nothing is published`;
    return stopJob(turn, job, {
      state: 'FAILED',
      cause: { code: 'bad-records', message, task: null, failure: null },
    });
  }
  const trouble = taskTrouble(task);
  trouble.failures++;
  trouble.failedOn.add(worker.id);
  if (!isUserFault(failure)) recordFault(turn, worker, job, task);
  const isSure = isSureMistake(turn, task, worker, failure);
  persistCharges(turn, job, task);
  const verdict = isSure ? 'failed twice with the same error' : outOfAttempts(job, task);
  if (verdict !== undefined) failTask(turn, job, task, `${formatTask(task)} ${verdict}`, failure);
  else releaseTask(turn, job, task);
}

/** The same mistake of the user's, from two workers, or twice where there is no second worker to ask. */
function isSureMistake({ state }: Turn, task: Task, worker: Worker, failure: AttemptFailure): boolean {
  if (!isUserFault(failure)) return false;
  const { userFaults } = taskTrouble(task);
  const fingerprint = failureFingerprint(failure);
  const reporters = [...(userFaults.get(fingerprint) ?? []), worker.id];
  userFaults.set(fingerprint, reporters);
  return (
    reporters.length >= 2 && (new Set(reporters).size >= 2 || state.workers.size - state.draining.size <= 1)
  );
}

function outOfAttempts(job: Job, task: Task): string | undefined {
  const { failures, deaths } = taskTrouble(task);
  const { attemptsMax } = job.spec;
  if (failures + deaths.length < attemptsMax) return undefined;
  const died = deaths.length > 0 ? ` and took ${deaths.length} workers down` : '';
  return `failed ${failures} times${died} (limit ${attemptsMax}, --max-attempts)`;
}

function failTask(turn: Turn, job: Job, task: Task, what: string, failure: AttemptFailure): void {
  const message = `${what}: ${describeFailure(failure)}`;
  const cause = { code: 'job-failed', message, task: formatTask(task), failure };
  stopJob(turn, job, { state: 'FAILED', cause });
}

type CorruptSegment = Extract<AttemptFailure, { kind: 'corrupt-segment' | 'corrupt-copy' }>;

/** The map output is condemned, unless only the copy of this worker is corrupt; the reduce starts again, uncharged but not for ever. */
function segmentCorrupt(turn: Turn, attempt: Attempt, failure: CorruptSegment): void {
  const { job, task, worker } = attempt;
  const trouble = taskTrouble(task);
  trouble.condemned++;
  persistCharges(turn, job, task);
  const { condemnedMax } = turn.state.config;
  if (trouble.condemned >= condemnedMax) {
    const what = `${formatTask(task)} met corrupt segments ${trouble.condemned} times`;
    return failTask(turn, job, task, what, failure);
  }
  // First, so that it counts as a reduce that needs the map again.
  releaseTask(turn, job, task);
  if (failure.kind === 'corrupt-copy') {
    trouble.failedOn.add(worker.id);
    return recordFault(turn, worker, job, task);
  }
  const map = job.map.tasks[failure.map];
  if (map?.holder?.id === failure.worker && map.accepted?.id.attempt === failure.mapAttempt) {
    condemnOutput(turn, job, map, `corrupt, says ${formatAttempt(attempt.id)}: ${failure.message}`);
  }
}

/** The worker is no more. `blame`: it died, and this attempt may be why. */
export function attemptLost(turn: Turn, attempt: Attempt, blame: boolean, cause: string): void {
  const { job, task, worker, status, started } = attempt;
  endAttempt(turn, attempt, { outcome: 'lost' });
  if (status === 'cancelling') return;
  tellTrouble(turn.state, job, task, 'lost', cause, placeOf(attempt));
  if (blame && started && recordDeath(turn, job, task, worker)) return;
  releaseTask(turn, job, task);
}

/** True when it ends the job. */
function recordDeath(turn: Turn, job: Job, task: Task, worker: Worker): boolean {
  const { deaths, failures } = taskTrouble(task);
  deaths.push(worker.id);
  persistCharges(turn, job, task);
  const { deathsMax } = turn.state.config;
  if (deaths.length < deathsMax && failures + deaths.length < job.spec.attemptsMax) return false;
  const message = `${deaths.length} workers died running it: ${deaths.join(', ')}`;
  const failed = failures > 0 ? ` and it failed ${failures} times` : '';
  const limit = `limit ${Math.min(deathsMax, job.spec.attemptsMax)}`;
  failTask(turn, job, task, `${formatTask(task)} takes workers down${failed} (${limit})`, {
    kind: 'worker-lost',
    message,
    worker: worker.id,
  });
  return true;
}
