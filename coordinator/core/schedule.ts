/**
 * Gives waiting tasks to free places, at the end of every step that freed or added some. Maps and samples take slots; reduces take
 * fetch places beside them, so that no map ever waits for a reduce that waits for it (design rule 6).
 */
import { startAttempt } from './attempts.ts';
import { hasPlace, isOpen, type Lane, mayRun } from './choose-worker.ts';
import { FreeWorkers } from './free-workers.ts';
import type { IndexSet } from './index-set.ts';
import { mayFreeScratch } from './scratch-room.ts';
import { withoutSlow } from './slow-workers.ts';
import type { CoreState, Job, Task, TaskTable, Worker } from './state.ts';
import { waitingCount } from './tasks.ts';
import type { Turn } from './turn.ts';

/** Retries and reruns may have to wait for a particular worker: so many are looked at before giving up for now. */
const troubledLookAhead = 64;
const noHosts: readonly string[] = [];

export function schedule(turn: Turn): void {
  const reserved = placeIsolated(turn);
  fill(turn, 'cpu', reserved);
  fill(turn, 'fetch', reserved);
}

/** The table whose tasks may be assigned now, if any are waiting. Isolated tasks are placed on their own. */
function openTable(state: CoreState, job: Job, lane: Lane): TaskTable | undefined {
  if (state.recovery && job.restored) return undefined;
  if (job.phase.name === 'sampling') return lane === 'cpu' ? job.sample : undefined;
  if (job.phase.name !== 'working') return undefined;
  if (lane === 'cpu') return job.map;
  return job.map.done >= mapsBeforeReduces(state, job) ? job.reduce : undefined;
}

function mapsBeforeReduces({ config }: CoreState, job: Job): number {
  const { total } = job.map;
  return total === 0 ? 0 : Math.max(1, Math.ceil(total * config.reduceStartFraction));
}

function fill(turn: Turn, lane: Lane, reserved: Worker | undefined): void {
  const { state } = turn;
  const open: { job: Job; table: TaskTable }[] = [];
  for (const job of state.activeJobs) {
    const table = openTable(state, job, lane);
    if (!table || waitingCount(table) === table.waiting.isolated.size) continue;
    table.openedAtMs ??= turn.now;
    open.push({ job, table });
  }
  if (open.length === 0) return;
  const places = [...state.withPlace[lane]].filter((worker) => worker !== reserved && isOpen(state, worker));
  const free = withoutSlow(state, open, places);
  const crowded = free.filter((worker) => worker.crowded);
  const roomy = crowded.length === 0 ? free : free.filter((worker) => !worker.crowded);
  assignAll(turn, lane, [...open], roomy, Number.POSITIVE_INFINITY);
  if (crowded.length > 0 && !mayFreeScratch(state)) assignAll(turn, lane, open, crowded, 1);
}

/** The most urgent first, until no task, no place or, when so many are assigned, no more is left. */
function assignAll(
  turn: Turn,
  lane: Lane,
  open: { job: Job; table: TaskTable }[],
  workers: readonly Worker[],
  assignmentsMax: number,
): void {
  if (workers.length === 0) return;
  const free = new FreeWorkers(workers, lane);
  let assigned = 0;
  while (free.size > 0 && open.length > 0 && assigned < assignmentsMax) {
    const next = mostUrgent(open);
    const worker = assignOne(turn, next.job, next.table, free);
    if (!worker || waitingCount(next.table) === next.table.waiting.isolated.size) {
      open.splice(open.indexOf(next), 1);
    }
    if (!worker) continue;
    assigned++;
    free.update(worker);
  }
}

/** Lost maps first, whosesoever; then priority, then who has least running, then age. */
function mostUrgent(open: readonly { job: Job; table: TaskTable }[]): { job: Job; table: TaskTable } {
  return open.reduce((best, one) => {
    const difference =
      Number(one.table.waiting.reruns.size > 0) - Number(best.table.waiting.reruns.size > 0) ||
      one.job.spec.priority - best.job.spec.priority ||
      best.table.attemptsAlive - one.table.attemptsAlive ||
      best.job.order - one.job.order;
    return difference > 0 ? one : best;
  });
}

function assignOne(turn: Turn, job: Job, table: TaskTable, free: FreeWorkers): Worker | undefined {
  const { reruns, retries, fresh } = table.waiting;
  return (
    assignTroubled(turn, job, table, reruns, free, 'its output was lost') ??
    assignTroubled(turn, job, table, retries, free, 'it failed or was lost before') ??
    assignFresh(turn, job, table, fresh, free)
  );
}

function assignTroubled(
  turn: Turn,
  job: Job,
  table: TaskTable,
  waiting: IndexSet,
  free: FreeWorkers,
  cause: string,
): Worker | undefined {
  if (waiting.size === 0) return undefined;
  for (const index of waiting.first(troubledLookAhead)) {
    const task = table.tasks[index]!;
    const worker = free.choose(turn.state, task, hostsOf(job, task));
    if (!worker) continue;
    startAttempt(turn, job, task, worker, { backup: false, isolated: false, cause });
    return worker;
  }
  return undefined;
}

function assignFresh(
  turn: Turn,
  job: Job,
  table: TaskTable,
  waiting: IndexSet,
  free: FreeWorkers,
): Worker | undefined {
  const first = waiting.next(0);
  if (first < 0) return undefined;
  const local = job.hasHosts && table.kind === 'map' ? nextLocal(turn.state, job, waiting, free) : undefined;
  const task = table.tasks[local ?? first]!;
  const worker = free.choose(turn.state, task, hostsOf(job, task));
  if (worker) startAttempt(turn, job, task, worker, { backup: false, isolated: false, cause: '' });
  return worker;
}

/** The first of the next few waiting maps whose bytes lie on a free worker's host. */
function nextLocal(
  { config }: CoreState,
  job: Job,
  waiting: IndexSet,
  free: FreeWorkers,
): number | undefined {
  return waiting
    .first(config.localityLookAhead)
    .find((index) => job.splits[index]!.hosts.some((host) => free.hasHost(host)));
}

function hostsOf(job: Job, task: Task): readonly string[] {
  return task.kind === 'map' && job.hasHosts ? job.splits[task.index]!.hosts : noHosts;
}

/**
 * Tasks suspected of killing workers run where nothing else holds a slot. When every worker is busy the least busy one is kept free
 * for the first of them: it is returned, and nothing else is assigned to it in this step. Reduces that fetch may stay beside it: they
 * run no user code, and waiting for them could be waiting for the isolated task itself.
 */
function placeIsolated(turn: Turn): Worker | undefined {
  let reserved: Worker | undefined;
  for (const { job, table, lane } of isolatedTables(turn.state)) {
    for (const index of table.waiting.isolated.first(troubledLookAhead)) {
      const worker = leastBusy(turn.state, table.tasks[index]!, lane, reserved);
      if (!worker) continue;
      if (worker.slotsUsed > 0) reserved ??= worker;
      else {
        const cause = 'workers died running it: it runs alone';
        startAttempt(turn, job, table.tasks[index]!, worker, { backup: false, isolated: true, cause });
      }
    }
  }
  return reserved;
}

function isolatedTables(state: CoreState): { job: Job; table: TaskTable; lane: Lane }[] {
  const found: { job: Job; table: TaskTable; lane: Lane }[] = [];
  for (const job of state.activeJobs) {
    for (const lane of ['cpu', 'fetch'] as const) {
      const table = openTable(state, job, lane);
      if (!table || table.waiting.isolated.size === 0) continue;
      // Holding a whole worker, an isolated reduce must not wait for maps that may need that worker.
      if (lane === 'fetch' && job.map.done < job.map.total) continue;
      found.push({ job, table, lane });
    }
  }
  return found.sort((a, b) => b.job.spec.priority - a.job.spec.priority || a.job.order - b.job.order);
}

function leastBusy(
  state: CoreState,
  task: Task,
  lane: Lane,
  reserved: Worker | undefined,
): Worker | undefined {
  let best: Worker | undefined;
  for (const worker of state.workers.values()) {
    if (worker === reserved || !isOpen(state, worker) || !mayRun(state, task, worker)) continue;
    if (lane === 'fetch' && !hasPlace(worker, lane)) continue;
    if (!best || worker.slotsUsed < best.slotsUsed) best = worker;
  }
  return best;
}
