/** Which worker runs a task: who has not failed it, has its bytes, is fast, is idle, came first; in this order. */
import { isQuarantined } from './quarantine.ts';
import { speedClass } from './speed.ts';
import type { CoreState, Task, Worker } from './state.ts';

/** `cpu`: sample and map attempts, one slot each. `fetch`: reduces, one of as many places beside the slots until they hold all input. */
export type Lane = 'cpu' | 'fetch';

/** Whether it counts among those that take work, now or when it is back. */
function isOffered(state: CoreState, worker: Worker): boolean {
  return !worker.draining && !isQuarantined(worker, state.now);
}

/** Whether anything at all may be given to this worker now. */
export function isOpen(state: CoreState, worker: Worker): boolean {
  return worker.connected && !worker.isolated && isOffered(state, worker);
}

/**
 * Slots for tasks that run, and as many places again for reduces that fetch or hold all their input and wait for a slot: more would
 * only fill the worker's disk early and keep work from others.
 */
export function hasPlace(worker: Worker, lane: Lane): boolean {
  const { slots } = worker.info;
  if (lane === 'cpu') return worker.slotsUsed < slots;
  return worker.fetching < slots && worker.slotsUsed + worker.fetching < 2 * slots;
}

/** A worker that failed the task gets it again only when no other live one is left to try. */
export function mayRun(state: CoreState, task: Task, worker: Worker): boolean {
  const failedOn = task.trouble?.failedOn;
  if (!failedOn?.has(worker.id)) return true;
  for (const other of state.workers.values()) {
    if (!failedOn.has(other.id) && isOffered(state, other)) return false;
  }
  return true;
}

/** The best of `workers`, all open and with a place, or undefined when none may run the task. */
export function chooseWorker(
  state: CoreState,
  task: Task,
  hosts: readonly string[],
  workers: readonly Worker[],
): Worker | undefined {
  let best: Worker | undefined;
  for (const worker of workers) {
    if (task.trouble && !mayRun(state, task, worker)) continue;
    if (!best || isBetter(worker, best, task, hosts)) best = worker;
  }
  return best;
}

function isBetter(a: Worker, b: Worker, task: Task, hosts: readonly string[]): boolean {
  const failedOn = task.trouble?.failedOn;
  const difference =
    Number(failedOn?.has(a.id) ?? false) - Number(failedOn?.has(b.id) ?? false) ||
    Number(hosts.includes(b.info.host)) - Number(hosts.includes(a.info.host));
  return difference === 0 ? isIdler(a, b) : difference < 0;
}

/** Faster, or as fast and with less to do, or there before: better for a task that may run on both. */
export function isIdler(a: Worker, b: Worker): boolean {
  const difference =
    (a.speed === b.speed && a.lag === b.lag ? 0 : speedClass(b) - speedClass(a)) ||
    a.attempts.size / a.info.slots - b.attempts.size / b.info.slots ||
    a.order - b.order;
  return difference < 0;
}
