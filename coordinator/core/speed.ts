/** How fast workers are, relative to the mean of the jobs they took part in: a history, not a promise. */
import type { TaskTable, Worker } from './state.ts';

/** Shorter tasks measure the overhead, not the worker. */
const sampleMsMin = 200;
const samplesMin = 3;
const newShare = 0.2;
const speedMin = 0.05;
const speedMax = 20;

/** An accepted map of this table took `ms` for `inputBytes`; called before its own duration is added to the table. */
export function rememberSpeed(worker: Worker, table: TaskTable, ms: number, inputBytes: number): void {
  if (ms < sampleMsMin || inputBytes === 0 || table.durations.length < samplesMin) return;
  let totalMs = 0;
  let totalBytes = 0;
  for (const duration of table.durations) {
    totalMs += duration.ms;
    totalBytes += duration.inputBytes;
  }
  if (totalBytes === 0 || totalMs === 0) return;
  const relative = inputBytes / ms / (totalBytes / totalMs);
  const speed = worker.speed * (1 - newShare) + relative * newShare;
  worker.speed = Math.min(speedMax, Math.max(speedMin, speed));
}

/** Steps of half as fast again: smaller differences are noise and must not decide. */
export function speedClass(worker: Worker): number {
  return Math.round(Math.log(worker.speed) / Math.log(1.5));
}
