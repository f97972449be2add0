/** The state as users see it. Every number is kept up to date by the steps: a view never walks a task table. */
import type { JobId } from '../../lib/ids.ts';
import type { JobView, PhaseView } from '../../lib/job-view.ts';
import { isQuarantined } from './quarantine.ts';
import type { CoreState, Job, TaskTable, Worker } from './state.ts';

export function viewJob(state: CoreState, jobId: JobId): JobView | undefined {
  const job = state.jobs.get(jobId);
  return job && jobView(job);
}

/** Newest first. */
export function listJobs(state: CoreState, limit: number): JobView[] {
  return [...state.jobs.values()].reverse().slice(0, limit).map(jobView);
}

function jobView(job: Job): JobView {
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
    counters: Object.fromEntries(job.counters),
    failedAttempts: [...job.failedAttempts],
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

export interface ClusterView {
  readonly slots: number;
  readonly slotsUsed: number;
  readonly jobsActive: number;
  readonly workers: readonly WorkerView[];
}

export interface WorkerView {
  readonly workerId: string;
  readonly host: string;
  readonly fetchAddress: string;
  readonly slots: number;
  readonly slotsUsed: number;
  readonly fetching: number;
  readonly connected: boolean;
  readonly lastHeartbeatMs: number;
  /** Null when it is not in quarantine. */
  readonly quarantinedUntilMs: number | null;
  /** Relative to the mean; 1 is average. */
  readonly speed: number;
  readonly rssBytes: number;
  readonly cpuFraction: number;
  readonly scratchBytes: number;
}

export function viewCluster(state: CoreState): ClusterView {
  const workers = [...state.workers.values()];
  return {
    slots: state.slotsTotal,
    slotsUsed: workers.reduce((sum, worker) => sum + worker.slotsUsed, 0),
    jobsActive: state.activeJobs.size,
    workers: workers.map((worker) => workerView(state, worker)),
  };
}

function workerView(state: CoreState, worker: Worker): WorkerView {
  const { info, usage } = worker;
  return {
    workerId: worker.id,
    host: info.host,
    fetchAddress: info.fetchAddress,
    slots: info.slots,
    slotsUsed: worker.slotsUsed,
    fetching: worker.fetching,
    connected: worker.connected,
    lastHeartbeatMs: worker.lastHeartbeatMs,
    quarantinedUntilMs: isQuarantined(worker, state.now) ? worker.quarantinedUntilMs : null,
    speed: worker.speed,
    rssBytes: usage?.rssBytes ?? 0,
    cpuFraction: usage?.cpuFraction ?? 0,
    scratchBytes: usage?.scratchBytes ?? 0,
  };
}
