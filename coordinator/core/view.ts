/** The state as users see it. Every number is kept up to date by the steps: a view never walks a task table. */
import type { ClusterView, TaskCounts, WorkerState, WorkerView } from '../../lib/cluster-view.ts';
import { formatAttempt, type JobId } from '../../lib/ids.ts';
import type { JobView, PhaseView } from '../../lib/job-view.ts';
import { limits } from '../../lib/limits.ts';
import { isQuarantined } from './quarantine.ts';
import type { CoreState, Job, TaskTable, Worker } from './state.ts';
import { waitingCount } from './tasks.ts';

export function viewJob(state: CoreState, jobId: JobId): JobView | undefined {
  const job = state.jobs.get(jobId);
  return job && viewOf(job);
}

/** Newest first. */
export function listJobs(state: CoreState, limit: number): JobView[] {
  return [...state.jobs.values()].reverse().slice(0, limit).map(viewOf);
}

/** Of one job; numbers and short texts only, bounded. */
export function viewOf(job: Job): JobView {
  const { spec } = job;
  return {
    jobId: spec.jobId,
    name: spec.name,
    state: job.shown,
    priority: spec.priority,
    submittedAtMs: spec.submittedAtMs,
    startedAtMs: job.startedAtMs,
    endedAtMs: job.endedAtMs,
    input: spec.inputPatterns,
    outputUri: spec.outputUri,
    outputFormat: spec.output,
    params: spec.params,
    map: phaseView(job.map),
    reduce: phaseView(job.reduce),
    badRecords: job.map.badRecords,
    durability: spec.durability ?? 'local',
    mapsCopied: job.mapsCopied,
    nonDeterministic: [...job.differences],
    counters: Object.fromEntries(job.counters),
    failedAttempts: [...job.failedAttempts],
    damagedSegments: [...job.damages],
    profile: job.profile ?? null,
    cause: job.cause,
  };
}

function phaseView(table: TaskTable): PhaseView {
  const { total, done, failedAttempts, backups, reruns } = table;
  const running = table.running.size;
  return {
    total,
    done,
    running,
    waiting: total - done - running,
    failedAttempts,
    backups,
    reruns,
    records: table.inputRecords + table.runningRecords,
    bytes: table.inputBytes + table.runningBytes,
  };
}

export function viewCluster(state: CoreState): ClusterView {
  const workers = [...state.workers.values()];
  const active = [...state.activeJobs];
  return {
    nowMs: state.now,
    epoch: state.config.epoch,
    slots: sum(workers, (worker) => worker.info.slots),
    slotsUsed: sum(workers, (worker) => worker.slotsUsed),
    jobs: countStates(state.jobs.values()),
    jobsActive: active.length,
    maps: countTasks(active.map((job) => job.map)),
    reduces: countTasks(active.map((job) => job.reduce)),
    workers: workers.map((worker) => workerView(state, worker)),
  };
}

function countStates(jobs: Iterable<Job>): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { shown } of jobs) counts[shown] = (counts[shown] ?? 0) + 1;
  return counts;
}

function countTasks(tables: readonly TaskTable[]): TaskCounts {
  return {
    pending: sum(tables, waitingCount),
    running: sum(tables, (table) => table.running.size),
    completed: sum(tables, (table) => table.done),
    failed: sum(tables, (table) => table.failedAttempts),
  };
}

function workerView(state: CoreState, worker: Worker): WorkerView {
  const { info, usage } = worker;
  const attempts = [...worker.attempts.values()].slice(0, limits.attemptsShownMax);
  return {
    workerId: worker.id,
    state: stateOf(state, worker),
    host: info.host,
    pid: info.pid,
    softwareVersion: info.softwareVersion,
    fetchAddress: info.fetchAddress,
    slots: info.slots,
    slotsUsed: worker.slotsUsed,
    fetching: worker.fetching,
    attempts: attempts.map(({ id }) => formatAttempt(id)),
    mapOutputs: sum([...worker.outputs.values()], (maps) => maps.size),
    lastHeartbeatMs: worker.lastHeartbeatMs,
    quarantinedUntilMs: isQuarantined(worker, state.now) ? worker.quarantinedUntilMs : null,
    speed: worker.speed,
    rssBytes: usage?.rssBytes ?? 0,
    memoryBytesMax: usage?.memoryBytesMax ?? 0,
    cpuFraction: usage?.cpuFraction ?? 0,
    scratchBytes: usage?.scratchBytes ?? 0,
    scratchBytesMax: usage?.scratchBytesMax ?? 0,
  };
}

/** What keeps it from work; the worst when it is several. */
function stateOf(state: CoreState, worker: Worker): WorkerState {
  if (!worker.connected) return 'disconnected';
  if (worker.draining) return 'draining';
  return isQuarantined(worker, state.now) ? 'quarantined' : 'ready';
}

function sum<T>(items: readonly T[], read: (item: T) => number): number {
  return items.reduce((total, item) => total + read(item), 0);
}
