/** The cluster at a glance. */
import type { ClusterView, WorkerState, WorkerView } from '../../lib/cluster-view.ts';
import { formatBytes, formatDurationMs } from '../../lib/units.ts';
import { plural } from './progress.ts';
import { type Paint, plain, type Tone } from './style.ts';
import { formatCount, renderTable } from './table.ts';

const head = ['WORKER', 'STATE', 'HOST', 'SLOTS', 'CPU', 'MEMORY', 'SCRATCH', 'HEARTBEAT', 'TASKS'];
const attemptsShownMax = 4;

const tones: Readonly<Record<WorkerState, Tone | undefined>> = {
  ready: undefined,
  draining: 'warn',
  quarantined: 'warn',
  disconnected: 'bad',
};

/** A sentence, then one row per worker. */
export function renderWorkers(view: ClusterView, paint: Paint = plain): string[] {
  const [first = '', ...rows] = renderTable(
    head,
    view.workers.map((worker) => rowOf(worker, view.nowMs)),
  );
  const painted = rows.map((row, at) => {
    const tone = tones[view.workers[at]!.state];
    return tone === undefined ? row : paint(tone, row);
  });
  return [renderCluster(view), paint('dim', first), ...painted];
}

function renderCluster({ workers, slots, slotsUsed, jobsActive, maps, reduces }: ClusterView): string {
  const running = formatCount(maps.running + reduces.running);
  const waiting = formatCount(maps.pending + reduces.pending);
  const work =
    jobsActive === 0
      ? 'no job runs'
      : `${plural(jobsActive, 'job')}: ${running} tasks running, ${waiting} waiting`;
  return `${plural(workers.length, 'worker')}, ${slotsUsed} of ${plural(slots, 'slot')} used; ${work}`;
}

function rowOf(worker: WorkerView, nowMs: number): (string | number)[] {
  return [
    worker.workerId,
    worker.quarantinedUntilMs === null || worker.state !== 'quarantined'
      ? worker.state
      : `${worker.state} for ${formatDurationMs(worker.quarantinedUntilMs - nowMs)}`,
    worker.host,
    `${worker.slotsUsed}/${worker.slots}`,
    `${Math.round(worker.cpuFraction * 100)}%`,
    share(worker.rssBytes, worker.memoryBytesMax),
    share(worker.scratchBytes, worker.scratchBytesMax),
    `${formatDurationMs(Math.max(0, nowMs - worker.lastHeartbeatMs))} ago`,
    tasksOf(worker),
  ];
}

function share(bytes: number, bytesMax: number): string {
  return bytesMax === 0 ? formatBytes(bytes) : `${formatBytes(bytes)} of ${formatBytes(bytesMax)}`;
}

function tasksOf({ attempts }: WorkerView): string {
  const more = attempts.length - attemptsShownMax;
  const shown = attempts.slice(0, attemptsShownMax).join(' ');
  return more > 0 ? `${shown} and ${more} more` : shown;
}
