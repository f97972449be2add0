/**
 * The time after a replay in which workers come back. Restored jobs are given nothing new until all of them are there and have said what
 * they hold, or their leases would have run out, and the store was asked for copies of the rest: what there still is shall not be made
 * again.
 */
import { type AttemptId, attemptKey, type WorkerId } from '../../lib/ids.ts';
import { beginSearches } from './copies.ts';
import { giveBackFetches } from './drain.ts';
import type { CoreState, Job, Worker } from './state.ts';
import { say, type Turn } from './turn.ts';

export function beginRecovery(turn: Turn, awaited: Set<WorkerId>): void {
  const untilMs = turn.now + turn.state.config.heartbeatTimeoutMs;
  turn.state.recovery = { untilMs, awaited, expected: new Map(), searches: undefined };
}

/** `held`: of these outputs, those that restored jobs can use are said again by the worker, each in a report. */
export function workerBack(
  { recovery, jobs }: CoreState,
  { id }: Worker,
  held: readonly AttemptId[],
  replaces: readonly WorkerId[],
): void {
  if (!recovery) return;
  for (const workerId of [id, ...replaces]) recovery.awaited.delete(workerId);
  const expected = held.filter(({ jobId, index }) => {
    const job = jobs.get(jobId);
    return job?.restored && job.phase.name === 'working' && job.map.tasks[index]?.status !== 'done';
  });
  if (expected.length > 0) recovery.expected.set(id, new Set(expected.map(attemptKey)));
}

/** Whatever it said. */
export function reportBack({ recovery }: CoreState, { id }: Worker, attempt: AttemptId): void {
  const expected = recovery?.expected.get(id);
  if (expected?.delete(attemptKey(attempt)) && expected.size === 0) recovery?.expected.delete(id);
}

/** At the end of a step: whether there is nobody left to wait for. */
export function settleRecovery(turn: Turn): void {
  const { state, now } = turn;
  const { recovery } = state;
  if (!recovery) return;
  const { awaited, expected, untilMs } = recovery;
  if (now < untilMs && (awaited.size > 0 || expected.size > 0)) return;
  if (!recovery.searches) beginSearches(turn, recovery);
  if (recovery.searches!.size > 0) return;
  state.recovery = undefined;
  for (const workerId of awaited) {
    turn.persist.push({ type: 'worker-gone', at: now, workerId });
    turn.effects.push({ type: 'worker-lost', reason: 'silent' });
    const text = `worker ${workerId} did not come back after the coordinator was restarted: what it held is lost`;
    say(turn, 'warn', { worker: { id: workerId } }, text);
  }
  for (const job of state.activeJobs) if (job.restored) resumed(turn, job);
  for (const worker of state.draining) giveBackFetches(turn, worker);
  turn.wantsSchedule = true;
}

function resumed(turn: Turn, job: Job): void {
  const { map, reduce, phase, attemptsAlive } = job;
  if (phase.name === 'stopping' && attemptsAlive === 0) turn.drained.add(job);
  if (phase.name !== 'working') return;
  const done = `maps done: ${map.done} of ${map.total}; reduces done: ${reduce.done} of ${reduce.total}`;
  say(turn, 'info', { job }, `goes on after the restart; ${done}; attempts that still run: ${attemptsAlive}`);
}
