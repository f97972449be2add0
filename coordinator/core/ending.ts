/**
 * How a job ends. Badly: the outcome is set at once, every attempt is cancelled, and only when the last one has reported or its
 * worker is lost is everything staged discarded; then the end is durable and told. So nothing can stage after the discard (I6).
 */
import { assert } from '../../lib/assert.ts';
import type { StagedPart } from '../../lib/job-spec.ts';
import type { JobCause, JobState } from '../../lib/job-view.ts';
import { cancelAttempt, releaseTask } from './attempts.ts';
import { acceptedBadParts } from './bad-records.ts';
import type { Commit, JobOutcome } from './effects.ts';
import type { EventOf } from './events.ts';
import { showState } from './job-events.ts';
import { keepMapOutputs } from './map-outputs.ts';
import { discardedParts } from './parts.ts';
import type { CoreState, Job, Task, TaskTable } from './state.ts';
import { tellJob } from './story.ts';
import { releaseTable } from './tasks.ts';
import { say, type Turn } from './turn.ts';
import { viewOf } from './view.ts';

export function cancelRequested(turn: Turn, { jobId, reason }: EventOf<'cancel-requested'>): void {
  const job = turn.state.jobs.get(jobId);
  if (!job) return;
  switch (job.phase.name) {
    case 'listing':
    case 'sampling':
    case 'working': {
      const cause = { code: 'cancelled', message: reason, task: null, failure: null };
      return stopJob(turn, job, { state: 'CANCELLED', cause });
    }
    default:
      say(turn, 'info', { job }, `too late to cancel: the job is ${job.shown} (${job.phase.name})`);
  }
}

/** Decides that the job ends badly; the first decision stands. */
export function stopJob(turn: Turn, job: Job, decided: JobOutcome): void {
  const { name } = job.phase;
  if (name === 'stopping' || name === 'discarding' || name === 'ended') return;
  const outcome: JobOutcome = name === 'committing' ? { ...decided, hasCommitBegun: true } : decided;
  if (outcome.state === 'FAILED') keepMapOutputs(turn, job);
  job.phase = { name: 'stopping', outcome };
  turn.persist.push({ type: 'job-stopping', at: turn.now, jobId: job.spec.jobId, outcome });
  const { message } = outcome.cause;
  tellJob(turn.state, job, `stops, to be ${outcome.state}`, message);
  say(
    turn,
    outcome.state === 'FAILED' ? 'warn' : 'info',
    { job },
    `stops, to be ${outcome.state}: ${message}`,
  );
  cancelAttempts(turn, job, `the job is ${outcome.state}`);
  if (job.attemptsAlive === 0) turn.drained.add(job);
  turn.changed.add(job.spec.jobId);
}

/** All running attempts of the job; their tasks run no more. */
export function cancelAttempts(turn: Turn, job: Job, reason: string): void {
  for (const table of [job.sample, job.map, job.reduce]) {
    for (const task of [...table.running]) {
      for (const attempt of task.attempts) cancelAttempt(turn, attempt, reason);
      releaseTask(turn, job, task);
    }
  }
}

/** At the end of a step: stopping jobs whose last attempt is gone. */
export function discardDrained(turn: Turn): void {
  for (const job of turn.drained) {
    if (job.phase.name !== 'stopping') continue;
    // Whoever comes back may still run something of it.
    if (job.restored && turn.state.recovery) continue;
    assert(job.attemptsAlive === 0, 'a stopping job is given no more attempts');
    job.phase = { name: 'discarding', outcome: job.phase.outcome };
    const bad = acceptedBadParts(job).map(({ part }) => part);
    const parts = [...acceptedParts(job), ...bad, ...discardedParts(job)];
    turn.effects.push({ type: 'discard-output', spec: job.spec, parts, ...unsureOf(job) });
  }
}

/** The winners' staged parts, in the order of partitions (or of maps, for a map-only job). */
export function acceptedParts(job: Job): StagedPart[] {
  return outputTable(job).tasks.flatMap((task) => task.accepted?.part ?? []);
}

/**
 * Every task of the output that was not done by its only attempt: any other may have died before it told of its part. How many there
 * were of a restored job is not known.
 */
export function unsureOf(job: Job): Pick<Commit, 'unsure' | 'unsureMaps'> {
  const isUnsure = (task: Task) =>
    job.restored !== undefined || task.attemptsStarted > (task.accepted ? 1 : 0);
  const indexes = ({ tasks }: TaskTable) => tasks.filter(isUnsure).map((task) => task.index);
  const unsure = indexes(outputTable(job));
  return job.spec.maxBadRecords ? { unsure, unsureMaps: indexes(job.map) } : { unsure };
}

/** Whose parts are the job's output. */
export function outputTable(job: Job): TaskTable {
  return job.spec.reducers === 0 ? job.map : job.reduce;
}

export function outputDiscarded(turn: Turn, { jobId }: EventOf<'output-discarded'>): void {
  const job = turn.state.jobs.get(jobId);
  if (job?.phase.name !== 'discarding') return;
  const { state, cause } = job.phase.outcome;
  endJob(turn, job, state, cause);
}

/** Durable, told to every worker that may hold something of it, and reduced to its numbers. */
export function endJob(turn: Turn, job: Job, shown: JobState, cause: JobCause | null): void {
  const { jobId } = job.spec;
  job.phase = { name: 'ended' };
  showState(turn, job, shown, cause);
  job.endedAtMs = turn.now;
  turn.persist.push({ type: 'job-ended', at: turn.now, jobId, state: shown, cause, view: viewOf(job) });
  tellJob(turn.state, job, shown, cause?.message);
  for (const worker of turn.state.workers.values()) {
    worker.outputs.delete(jobId);
    if (worker.jobs.has(jobId)) turn.effects.push({ type: 'send-job-ended', workerId: worker.id, jobId });
  }
  release(turn.state, job);
  say(turn, 'info', { job }, cause ? `${shown}: ${cause.message}` : shown);
  turn.changed.add(jobId);
}

export function release(state: CoreState, job: Job): void {
  for (const table of [job.sample, job.map, job.reduce]) releaseTable(table);
  job.splits = [];
  job.sampleSplits = [];
  job.partitionBytes = new Float64Array(0);
  job.digests = undefined;
  job.unlocated.clear();
  job.discards.length = 0;
  job.restored?.openParts.clear();
  job.restored?.over.clear();
  state.activeJobs.delete(job);
  forgetOldest(state);
}

/** By when it ended: whoever waited for a job that took long must still be able to ask for it. */
export function forgetOldest(state: CoreState): void {
  if (state.jobs.size - state.activeJobs.size <= state.config.endedJobsMax) return;
  const ended = [...state.jobs.values()].filter((job) => job.phase.name === 'ended');
  const { jobId } = ended.reduce((first, job) => (job.endedAtMs! < first.endedAtMs! ? job : first)).spec;
  state.jobs.delete(jobId);
  for (const worker of state.workers.values()) worker.jobs.delete(jobId);
}
