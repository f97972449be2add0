/**
 * What a slow worker is not given: the last tasks of a kind, which the others will have done before it would be. So that it costs a job little more
 * than its share of the work; a task that it has all the same may get a backup (speculate.ts).
 */
import { cancelAttempt, releaseTask } from './attempts.ts';
import { isOpen } from './choose-worker.ts';
import { isSlow, meanMsOf, tasksLost } from './speed.ts';
import type { Attempt, CoreState, Job, TaskTable, Worker } from './state.ts';
import { waitingCount } from './tasks.ts';
import type { Turn } from './turn.ts';

interface Open {
  readonly job: Job;
  readonly table: TaskTable;
}

/** Of `workers`, which have a place, those to which some task of these tables may be given now. */
export function withoutSlow(state: CoreState, open: readonly Open[], workers: Worker[]): Worker[] {
  if (!workers.some(isSlow)) return workers;
  const othersSlots = slotsOfOthers(state);
  return workers.filter((worker) => {
    const isHeldBack = isSlow(worker) && open.every((one) => holdsBack(state, one, worker, othersSlots));
    if (!isHeldBack) worker.heldBackAtMs = undefined;
    return !isHeldBack;
  });
}

/** Open ones that are not slow. */
function slotsOfOthers(state: CoreState): number {
  let slots = 0;
  for (const worker of state.workers.values())
    if (isOpen(state, worker) && !isSlow(worker)) slots += worker.info.slots;
  return slots;
}

/** Never for longer than the worker would have taken, and only while others work on tasks of this kind. */
function holdsBack(state: CoreState, { job, table }: Open, worker: Worker, othersSlots: number): boolean {
  if (!othersAreSooner(worker, waitingCount(table), othersSlots)) return false;
  const isUnderWay = table.attemptsAlive > 0 || (table.kind === 'reduce' && job.map.done < job.map.total);
  if (!isUnderWay) return false;
  worker.heldBackAtMs ??= state.now;
  const meanMs = meanMsOf(table);
  if (meanMs === undefined) return true;
  // No reduce ends before the maps do.
  const sinceMs =
    table.kind === 'reduce'
      ? Math.max(worker.heldBackAtMs, job.mapsDoneAtMs ?? state.now)
      : worker.heldBackAtMs;
  return state.now - sinceMs < meanMs * tasksLost(worker);
}

/** All that waits is done by then, with a task for each of them to finish first. */
function othersAreSooner(worker: Worker, waiting: number, othersSlots: number): boolean {
  return othersSlots > 0 && tasksLost(worker) > waiting / othersSlots + 1;
}

/**
 * On every tick. A reduce is given out when the first maps are done, and nobody knows yet how fast its worker is. While it only fetches it goes
 * to another one at the price of fetching again, once, unless that would make maps run again.
 */
export function giveBackFromSlow(turn: Turn): void {
  const { state } = turn;
  const slow = [...state.workers.values()].filter((worker) => worker.fetching > 0 && isSlow(worker));
  if (slow.length === 0) return;
  const othersSlots = slotsOfOthers(state);
  for (const worker of slow) {
    for (const attempt of [...worker.attempts.values()]) {
      const { job, task } = attempt;
      if (!mayGoBack(attempt) || !othersAreSooner(worker, waitingCount(job.reduce) + 1, othersSlots))
        continue;
      cancelAttempt(turn, attempt, `${worker.id} is slow: the others will be sooner`);
      releaseTask(turn, job, task);
    }
  }
}

function mayGoBack({ job, status, fetch, isolated, backup, id }: Attempt): boolean {
  if (status !== 'running' || !fetch || fetch.complete) return false;
  return !isolated && !backup && id.attempt === 0 && !job.restored && job.unlocated.size === 0;
}
