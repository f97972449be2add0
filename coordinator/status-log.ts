/** The system's status, one line in the log every few seconds; silent while nothing runs and nothing changes, which is said once. */
import type { Clock } from '../lib/clock.ts';
import type { ClusterView, TaskCounts, WorkerView } from '../lib/cluster-view.ts';
import { limits } from '../lib/limits.ts';
import type { Log } from '../lib/log.ts';

export interface StatusLogPorts {
  readonly clock: Clock;
  readonly log: Log;
  /** The cluster now. */
  view(): ClusterView;
}

/** Those in trouble first; the others are counted. */
const workersNamedMax = 20;

/** Begins at once; the returned function ends it. */
export function startStatusLog({ clock, log, view }: StatusLogPorts): () => void {
  let last = '';
  let isSilent = false;
  let cancel = clock.after(limits.statusIntervalMs, report);
  function report() {
    cancel = clock.after(limits.statusIntervalMs, report);
    const cluster = view();
    const key = keyOf(cluster);
    const isIdle = cluster.jobsActive === 0 && key === last;
    last = key;
    if (!isIdle) log.info(statusOf(cluster), describe(cluster));
    else if (!isSilent) log.info('status: idle; the next line comes when something changes');
    isSilent = isIdle;
  }
  return () => cancel();
}

/** What counts as a change while nothing runs: who is there, in which state, and which jobs there were. */
function keyOf({ workers, jobs }: ClusterView): string {
  return JSON.stringify([workers.map(({ workerId, state }) => [workerId, state]), jobs]);
}

function statusOf({ workers, jobs, maps, reduces, slots, slotsUsed, nowMs }: ClusterView) {
  return {
    workers: named(workers).map((worker) => ({
      worker: worker.workerId,
      state: worker.state,
      silentMs: silentMs(worker, nowMs),
    })),
    workersByState: countStates(workers),
    slots,
    slotsUsed,
    maps,
    reduces,
    jobs,
  };
}

function describe({ workers, jobs, maps, reduces, slots, slotsUsed, nowMs }: ClusterView): string {
  const shown = named(workers).map(
    (worker) => `${worker.workerId} ${worker.state} (${(silentMs(worker, nowMs) / 1000).toFixed(1)} s ago)`,
  );
  const more = workers.length - shown.length;
  if (more > 0) shown.push(`${more} more`);
  const list = shown.length > 0 ? `: ${shown.join(', ')}` : '';
  return [
    `status: ${countOf(countStates(workers), 'workers')}${list}`,
    `slots ${slotsUsed}/${slots}`,
    `maps ${describeTasks(maps)}`,
    `reduces ${describeTasks(reduces)}`,
    countOf(jobs, 'jobs'),
  ].join('; ');
}

function named(workers: readonly WorkerView[]): readonly WorkerView[] {
  if (workers.length <= workersNamedMax) return workers;
  const troubled = workers.filter((worker) => worker.state !== 'ready');
  const ready = workers.filter((worker) => worker.state === 'ready');
  return [...troubled, ...ready].slice(0, workersNamedMax);
}

function silentMs({ lastHeartbeatMs }: WorkerView, nowMs: number): number {
  return Math.max(0, nowMs - lastHeartbeatMs);
}

function countStates(workers: readonly WorkerView[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { state } of workers) counts[state] = (counts[state] ?? 0) + 1;
  return counts;
}

function countOf(counts: Readonly<Record<string, number>>, what: string): string {
  const entries = Object.entries(counts);
  if (entries.length === 0) return `no ${what}`;
  return `${what} ${entries.map(([state, count]) => `${count} ${state}`).join(', ')}`;
}

function describeTasks({ pending, running, completed, failed }: TaskCounts): string {
  return `${pending} pending, ${running} running, ${completed} completed, ${failed} failed`;
}
