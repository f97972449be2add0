/**
 * A map ran again and made something else for some partitions: its function is not deterministic. Whatever consumed the earlier
 * output is taken back, so that every committed reduce has consumed the same attempt of each map, or equal ones (I3).
 */
import { describeDifference } from '../../lib/difference.ts';
import { attemptKey, formatTask } from '../../lib/ids.ts';
import { cancelAttempt, releaseTask, runningAttempts } from './attempts.ts';
import { rerunUnlocated } from './locations.ts';
import { differenceView, stopForDifference } from './non-determinism.ts';
import { dropPart } from './parts.ts';
import type { Accepted, Attempt, Job, Task } from './state.ts';
import { tellTrouble } from './story.ts';
import { markIdle, replaceAccepted } from './tasks.ts';
import { answer, listNames, say, type Turn } from './turn.ts';

/** `partitions`: those for which the rerun of `map` differs from what was accepted `before`. True when the job fails for it. */
export function rerunDiffers(
  turn: Turn,
  job: Job,
  map: Task,
  before: Accepted,
  partitions: readonly number[],
): boolean {
  if (partitions.length === 0) return false;
  const difference = { map, partitions, attempts: [before, map.accepted!] };
  if (stopForDifference(turn, job, difference)) return true;
  const touched = restartMismatched(turn, job, map, partitions);
  const consequence = touched.length > 0 ? `${listNames(touched)} start again` : 'no reduce had used it yet';
  say(turn, 'warn', { job }, `${describeDifference(differenceView(difference))}; ${consequence}`);
  return false;
}

/** The names of those that start again. */
function restartMismatched(turn: Turn, job: Job, map: Task, partitions: readonly number[]): string[] {
  const touched: string[] = [];
  for (const partition of partitions) {
    const reduce = job.reduce.tasks[partition]!;
    const cause = `${formatTask(map)} ran again and made something else for partition ${partition}`;
    if (reduce.status === 'done') revoke(turn, job, reduce, cause);
    else if (!restart(turn, reduce, map, cause)) continue;
    touched.push(formatTask(reduce));
  }
  return touched;
}

export function revoke(turn: Turn, job: Job, reduce: Task, reason: string): void {
  const { id, workerId, part } = reduce.accepted!;
  turn.persist.push({ type: 'part-revoked', at: turn.now, attempt: id, reason });
  job.restored?.over.add(attemptKey(id));
  if (part) dropPart(turn, job, { attempt: id, part });
  replaceAccepted(job, reduce, undefined);
  tellTrouble(turn.state, job, reduce, 'revoked', reason, { attempt: id.attempt, worker: workerId });
  markIdle(turn.state, job, reduce);
  job.reduce.reruns++;
  if (turn.state.workers.has(workerId)) answer(turn, { id: workerId }, id, false);
  rerunUnlocated(turn, job, reduce);
  turn.wantsSchedule = true;
}

function restart(turn: Turn, reduce: Task, map: Task, cause: string): boolean {
  const stale = runningAttempts(reduce).filter((attempt) => mayHoldEarlier(attempt, map));
  for (const attempt of stale) restartAttempt(turn, attempt, cause);
  return stale.length > 0;
}

/** A reduce holds what must not be used: it begins from nothing. */
export function restartAttempt(turn: Turn, attempt: Attempt, cause: string): void {
  const { id, job, task } = attempt;
  cancelAttempt(turn, attempt, cause);
  tellTrouble(turn.state, job, task, 'restarted', cause, { attempt: id.attempt });
  releaseTask(turn, job, task);
}

/** Reported as fetched, or told of the earlier output and perhaps fetched since its last report. */
function mayHoldEarlier({ fetch }: Attempt, map: Task): boolean {
  if (!fetch) return false;
  return fetch.complete || fetch.fetched.has(map.index) || fetch.assignedVersion < map.lostAtVersion;
}
