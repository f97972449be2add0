/**
 * How fast workers are, relative to the mean of the jobs they took part in: by what they have done, and by what they should have done by now.
 * A history, not a promise.
 */
import { runningAttempts } from './attempts.ts';
import type { CoreState, Job, TaskDuration, TaskTable, Worker } from './state.ts';

/** Shorter tasks measure the overhead, not the worker. */
const sampleMsMin = 200;
const samplesMin = 3;
/** A thread that starts, a job that is loaded, a busy moment: a task that is so much later than expected says nothing of its worker. */
const excusedMs = 2_000;
/** What a history weighs when the next sample comes. */
const keptShare = 0.8;
/** Before the first sample a worker is taken to be average, at half the weight of a sample. */
const priorWeight = 0.5;
const speedMin = 0.05;
const speedMax = 20;
/** Half as fast as others: noise is not, a worker with a broken disk or a busy neighbour is. */
const slowBelow = 0.5;

/** An accepted map of this table took `ms` for `inputBytes`; called before its own duration is added to the table. */
export function rememberSpeed(worker: Worker, table: TaskTable, ms: number, inputBytes: number): void {
  if (ms < sampleMsMin || inputBytes === 0) return;
  const expectedMs = expectedMsOf(table, inputBytes);
  if (expectedMs === undefined) return;
  const { history } = worker;
  if (history.actualMs === 0) history.expectedMs = history.actualMs = expectedMs * priorWeight;
  history.expectedMs = history.expectedMs * keptShare + expectedMs;
  history.actualMs = history.actualMs * keptShare + workedMs(ms, expectedMs);
  worker.speed = Math.min(speedMax, Math.max(speedMin, history.expectedMs / history.actualMs));
}

/**
 * A map of this table that another attempt did first had run for `ms`: its worker is at most so fast. The map itself is not to blame, so that nothing
 * that the worker did before speaks against it.
 */
export function rememberUnfinished(worker: Worker, table: TaskTable, ms: number, inputBytes: number): void {
  const expectedMs = expectedMsOf(table, inputBytes);
  if (expectedMs === undefined || workedMs(ms, expectedMs) <= expectedMs) return;
  worker.history.actualMs = 0;
  rememberSpeed(worker, table, ms, inputBytes);
}

/** Without what is excused. */
function workedMs(ms: number, expectedMs: number): number {
  return ms < expectedMs ? ms : Math.max(expectedMs, ms - excusedMs);
}

/** At the mean of the last tasks of this table; undefined while there are too few. */
function expectedMsOf({ durations }: TaskTable, inputBytes: number): number | undefined {
  if (durations.length < samplesMin) return undefined;
  const { totalMs, totalBytes } = sumOf(durations);
  return totalMs > 0 && totalBytes > 0 ? (inputBytes * totalMs) / totalBytes : undefined;
}

/** Of the last tasks of this table; undefined when none is done. */
export function meanMsOf({ durations }: TaskTable): number | undefined {
  return durations.length === 0 ? undefined : sumOf(durations).totalMs / durations.length;
}

function sumOf(durations: readonly TaskDuration[]) {
  let totalMs = 0;
  let totalBytes = 0;
  for (const { ms, inputBytes } of durations) {
    totalMs += ms;
    totalBytes += inputBytes;
  }
  return { totalMs, totalBytes };
}

/**
 * On every tick: a worker on which every map takes longer than it should is at most so fast, long before the first of them is done. One map
 * of many on a worker says nothing: it may be the map's own fault.
 */
export function judgeLags(state: CoreState): void {
  for (const worker of state.workers.values()) worker.lag = 0;
  for (const job of state.activeJobs) judgeMaps(state, job);
  for (const worker of state.workers.values()) if (worker.lag === 0) worker.lag = 1;
}

function judgeMaps(state: CoreState, job: Job): void {
  const expectedMsPerByte = expectedMsOf(job.map, 1);
  for (const task of job.map.running) {
    for (const { worker, assignedAtMs } of runningAttempts(task)) {
      const expectedMs = (expectedMsPerByte ?? 0) * job.splits[task.index]!.bytes;
      const lateMs = workedMs(state.now - assignedAtMs, expectedMs);
      const isLate = expectedMs > 0 && lateMs > expectedMs;
      worker.lag = Math.max(worker.lag, isLate ? expectedMs / lateMs : 1);
    }
  }
}

function paceOf({ speed, lag }: Worker): number {
  return Math.max(speedMin, Math.min(speed, lag));
}

/** Steps of half as fast again: smaller differences are noise and must not decide. */
export function speedClass(worker: Worker): number {
  return Math.round(Math.log(paceOf(worker)) / Math.log(1.5));
}

export function isSlow(worker: Worker): boolean {
  return paceOf(worker) < slowBelow;
}

/** How many average tasks the others do while this worker does one. */
export function tasksLost(worker: Worker): number {
  return 1 / paceOf(worker);
}
