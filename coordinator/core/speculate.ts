/**
 * Backups for stragglers, on every tick. Never for a task that is young, nor slow because its input is large, nor on a worker that is
 * slower; one per task, and few in all (design rule 7). Longest remaining first.
 */

import { formatAttempt } from '../../lib/ids.ts';
import { runningAttempts, startAttempt } from './attempts.ts';
import { chooseWorker, hasPlace, isOpen, type Lane } from './choose-worker.ts';
import { speedClass } from './speed.ts';
import type { Attempt, CoreState, Job, Task, TaskTable, Worker } from './state.ts';
import { tellTrouble } from './story.ts';
import { isIsolated, waitingCount } from './tasks.ts';
import { say, type Turn } from './turn.ts';

const finishedPeersMin = 3;

interface Straggler {
  readonly job: Job;
  readonly attempt: Attempt;
  readonly ageMs: number;
  readonly expectedMs: number;
  readonly remainingMs: number;
}

export function speculate(turn: Turn): void {
  const { state } = turn;
  if (state.backupsAlive >= backupsMax(state)) return;
  const stragglers = [...state.activeJobs].flatMap((job) => stragglersOf(state, job));
  stragglers.sort((a, b) => b.remainingMs - a.remainingMs || b.ageMs - a.ageMs);
  for (const straggler of stragglers) {
    if (state.backupsAlive >= backupsMax(state)) return;
    startBackup(turn, straggler);
  }
}

function backupsMax(state: CoreState): number {
  return Math.max(1, Math.floor(state.slotsTotal * state.config.backupSlotsFraction));
}

function stragglersOf(state: CoreState, job: Job): Straggler[] {
  if (job.phase.name !== 'working' || (state.recovery && job.restored)) return [];
  const found = slowTasks(state, job, job.map);
  // A backup of a reduce fetches everything again: not while that would make maps run again.
  if (job.map.done === job.map.total && job.unlocated.size === 0)
    found.push(...slowTasks(state, job, job.reduce));
  return found;
}

function slowTasks(state: CoreState, job: Job, table: TaskTable): Straggler[] {
  if (table.running.size === 0 || waitingCount(table) > 0 || table.durations.length === 0) return [];
  const { backupMinRuntimeMs } = state.config;
  const ages = [...table.running].map((task) => ({ task, ageMs: ageOf(state, job, task) }));
  const onlyThese = ages.every(({ ageMs }) => ageMs >= backupMinRuntimeMs);
  if (table.durations.length < finishedPeersMin && !onlyThese) return [];
  const old = ages.filter(({ task, ageMs }) => ageMs >= backupMinRuntimeMs && mayHaveBackup(state, task));
  if (old.length === 0) return [];
  const medianMs = median(table.durations.map(({ ms }) => ms));
  const medianMsPerByte = median(
    table.durations.flatMap((d) => (d.inputBytes > 0 ? [d.ms / d.inputBytes] : [])),
  );
  return old.flatMap(({ task, ageMs }) => {
    const attempt = runningAttempts(task)[0]!;
    const inputBytes = inputBytesOf(job, task);
    const expectedMs = Math.max(medianMs, medianMsPerByte * inputBytes);
    const remainingMs = remaining(attempt, ageMs, inputBytes);
    const slow = ageMs > 2 * expectedMs && remainingMs > expectedMs;
    return slow ? [{ job, attempt, ageMs, expectedMs, remainingMs }] : [];
  });
}

function mayHaveBackup(state: CoreState, task: Task): boolean {
  return !task.backedUp && !isIsolated(state, task) && runningAttempts(task).length === 1;
}

/** A reduce that started while maps were running has not been slow before they were done. */
function ageOf(state: CoreState, job: Job, task: Task): number {
  const assignedAtMs = runningAttempts(task)[0]?.assignedAtMs ?? state.now;
  const fromMs = task.kind === 'reduce' ? Math.max(assignedAtMs, job.mapsDoneAtMs ?? 0) : assignedAtMs;
  return state.now - fromMs;
}

function inputBytesOf(job: Job, task: Task): number {
  return task.kind === 'map' ? job.splits[task.index]!.bytes : job.partitionBytes[task.index]!;
}

/**
 * By what it has read so far, at the rate so far; endless when it has read nothing. Reading is counted a batch at a time, so an attempt
 * that has read everything may have most of its work before it: then as long again as it has taken.
 */
function remaining(attempt: Attempt, ageMs: number, inputBytes: number): number {
  const read = attempt.progress?.bytesIn ?? 0;
  if (read === 0 || inputBytes === 0) return Number.POSITIVE_INFINITY;
  return read < inputBytes ? (ageMs * (inputBytes - read)) / read : ageMs;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? 0;
}

function startBackup(turn: Turn, { job, attempt, ageMs, expectedMs }: Straggler): void {
  const { state } = turn;
  const { task } = attempt;
  const lane: Lane = task.kind === 'map' ? 'cpu' : 'fetch';
  const fit = (worker: Worker) =>
    worker !== attempt.worker &&
    isOpen(state, worker) &&
    !worker.crowded &&
    worker.slotsUsed < worker.info.slots &&
    hasPlace(worker, lane) &&
    speedClass(worker) >= speedClass(attempt.worker);
  const hosts = task.kind === 'map' ? job.splits[task.index]!.hosts : [];
  const worker = chooseWorker(state, task, hosts, [...state.workers.values()].filter(fit));
  if (!worker) return;
  const age = `${(ageMs / 1000).toFixed(1)} s`;
  const cause = `${formatAttempt(attempt.id)} on ${attempt.worker.id} has run for ${age}, expected ${(expectedMs / 1000).toFixed(1)} s`;
  const backup = startAttempt(turn, job, task, worker, { backup: true, isolated: false, cause });
  tellTrouble(state, job, task, 'is slow', cause);
  say(turn, 'info', { attempt: backup }, `backup ${formatAttempt(backup.id)} on ${worker.id}: ${cause}`);
}
