/** Task tables and the only places where a task changes its status, so that every count stays true. */
import { assert } from '../../lib/assert.ts';
import { type AttemptId, sameAttempt, type TaskKind } from '../../lib/ids.ts';
import type { SegmentCounts } from '../../lib/job-spec.ts';
import { addCounts, noCounts } from '../../lib/segment-digest.ts';
import { IndexSet } from './index-set.ts';
import type { Accepted, Attempt, CoreState, Job, Task, TaskTable, TaskTrouble, Worker } from './state.ts';

/** Shared by all tasks that have none. */
export const noAttempts: readonly Attempt[] = [];
const durationsKept = 101;

export function createTable(kind: TaskKind, total: number): TaskTable {
  const waiting = {
    isolated: new IndexSet(total),
    reruns: new IndexSet(total),
    retries: new IndexSet(total),
    fresh: new IndexSet(total),
  };
  for (let index = 0; index < total; index++) waiting.fresh.add(index);
  return {
    kind,
    total,
    openedAtMs: undefined,
    tasks: Array.from({ length: total }, (_, index) => createTask(kind, index)),
    waiting,
    running: new Set(),
    done: 0,
    attemptsAlive: 0,
    failedAttempts: 0,
    backups: 0,
    reruns: 0,
    inputRecords: 0,
    inputBytes: 0,
    counts: noCounts,
    badRecords: 0,
    runningRecords: 0,
    runningBytes: 0,
    durations: [],
  };
}

function createTask(kind: TaskKind, index: number): Task {
  return {
    kind,
    index,
    status: 'idle',
    waitingSinceMs: 0,
    attemptsStarted: 0,
    attempts: noAttempts,
    accepted: undefined,
    holder: undefined,
    copied: false,
    lostAtVersion: 0,
    backedUp: false,
    trouble: undefined,
  };
}

export function waitingCount(table: TaskTable): number {
  const { isolated, reruns, retries, fresh } = table.waiting;
  return isolated.size + reruns.size + retries.size + fresh.size;
}

export function isIsolated(state: CoreState, task: Task): boolean {
  return task.trouble !== undefined && task.trouble.deaths.length >= state.config.isolateAfterDeaths;
}

export function taskTrouble(task: Task): TaskTrouble {
  task.trouble ??= {
    failures: 0,
    deaths: [],
    failedOn: new Set(),
    userFaults: new Map(),
    condemned: 0,
    unreachable: 0,
    story: [],
  };
  return task.trouble;
}

export function markIdle(state: CoreState, job: Job, task: Task): void {
  const table = job[task.kind];
  assert(task.status !== 'idle', 'a task becomes idle once');
  if (task.status === 'done') table.done--;
  table.running.delete(task);
  task.status = 'idle';
  task.waitingSinceMs = state.now;
  task.backedUp = false;
  wait(state, table, task);
}

/** It is charged with more than when it began to wait: it may have to wait for another place. */
export function waitAgain(state: CoreState, job: Job, task: Task): void {
  if (task.status !== 'idle') return;
  const table = job[task.kind];
  for (const set of Object.values(table.waiting)) set.delete(task.index);
  wait(state, table, task);
}

function wait(state: CoreState, { waiting }: TaskTable, task: Task): void {
  if (isIsolated(state, task)) waiting.isolated.add(task.index);
  else if (task.accepted) waiting.reruns.add(task.index);
  else if (task.trouble) waiting.retries.add(task.index);
  else waiting.fresh.add(task.index);
}

export function markRunning(job: Job, task: Task): void {
  if (task.status === 'running') return;
  assert(task.status === 'idle', 'only an idle task is assigned');
  const { waiting, running } = job[task.kind];
  const waited = [waiting.fresh, waiting.retries, waiting.reruns, waiting.isolated].some((set) =>
    set.delete(task.index),
  );
  assert(waited, 'an idle task waits in one set');
  task.status = 'running';
  running.add(task);
}

export function markDone(job: Job, task: Task): void {
  assert(task.status === 'running', 'only a running task is done');
  const table = job[task.kind];
  table.running.delete(task);
  table.done++;
  task.status = 'done';
}

/** Maps that were to run again and that nobody needs any more: what they made the first time stands. */
export function settleReruns(job: Job): void {
  for (const task of job.map.tasks) {
    if (task.status !== 'idle') continue;
    assert(task.accepted, 'what is committed was accepted');
    markRunning(job, task);
    markDone(job, task);
  }
}

/** Whether this is the accepted attempt, of this worker, and what it made is still there: its sender must keep it. */
export function isAcceptedOf(state: CoreState, worker: Worker, id: AttemptId): boolean {
  const task = state.jobs.get(id.jobId)?.[id.kind].tasks[id.index];
  if (!task?.accepted || !sameAttempt(task.accepted.id, id) || task.accepted.workerId !== worker.id)
    return false;
  return task.status === 'done' && (task.holder === worker || task.accepted.part !== undefined);
}

/** Makes `accepted` the one result of its task; undefined takes the result back. Totals and counters follow (I12). */
export function replaceAccepted(job: Job, task: Task, accepted: Accepted | undefined): void {
  const table = job[task.kind];
  if (task.accepted) addResult(job, table, task.accepted, -1);
  task.accepted = accepted;
  if (accepted) addResult(job, table, accepted, 1);
}

function addResult(job: Job, table: TaskTable, result: Accepted, sign: 1 | -1): void {
  table.inputRecords += sign * result.inputRecords;
  table.inputBytes += sign * result.inputBytes;
  table.badRecords += sign * (result.bad?.part.records ?? 0);
  table.counts =
    sign === 1 ? addCounts(table.counts, result.counts) : takeCounts(table.counts, result.counts);
  for (const [name, value] of Object.entries(result.counters)) {
    job.counters.set(name, (job.counters.get(name) ?? 0) + sign * value);
  }
}

function takeCounts(from: SegmentCounts, counts: SegmentCounts): SegmentCounts {
  return {
    records: from.records - counts.records,
    bytes: from.bytes - counts.bytes,
    crc32: (from.crc32 - counts.crc32 + 2 ** 32) % 2 ** 32,
  };
}

export function rememberDuration(table: TaskTable, ms: number, inputBytes: number): void {
  if (table.durations.length >= durationsKept) table.durations.shift();
  table.durations.push({ ms, inputBytes });
}

/** Ended jobs keep their numbers, not their tasks. */
export function releaseTable(table: TaskTable): void {
  table.tasks = [];
  table.running.clear();
  table.durations.length = 0;
  for (const set of Object.values(table.waiting)) {
    for (let at = set.next(0); at >= 0; at = set.next(at + 1)) set.delete(at);
  }
}
