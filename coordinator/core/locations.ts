/**
 * Where map outputs are, and who must know. A worker is told while it has a reduce that fetches: everything at first, then each
 * change. An output whose worker is gone is read from its copy in the store, if it has one. One that is gone altogether runs again only if
 * some reduce still needs it; otherwise it stays done, `unlocated`, until one does.
 */
import type { JobId, WorkerId } from '../../lib/ids.ts';
import { formatTask } from '../../lib/ids.ts';
import type { WorkerInfo } from '../../lib/reports.ts';
import { cancelAttempt, releaseTask } from './attempts.ts';
import type { MapLocation } from './effects.ts';
import { emitOutputsLost } from './job-events.ts';
import type { Attempt, Job, Task, Worker } from './state.ts';
import { tellTrouble } from './story.ts';
import { markIdle, waitingCount } from './tasks.ts';
import { listNames, say, type Turn } from './turn.ts';

export function subscribe(attempt: Attempt): void {
  const { subscribers } = attempt.job;
  const fetching = subscribers.get(attempt.worker.id);
  if (fetching) fetching.add(attempt);
  else subscribers.set(attempt.worker.id, new Set([attempt]));
}

/** Also for attempts that never subscribed. */
export function unsubscribe(attempt: Attempt): void {
  const { subscribers } = attempt.job;
  const fetching = subscribers.get(attempt.worker.id);
  if (fetching?.delete(attempt) && fetching.size === 0) subscribers.delete(attempt.worker.id);
}

/** All that is known, for some reduces on one worker. Silent when nothing is known yet. */
export function sendSnapshot(turn: Turn, job: Job, worker: Worker, attempts: readonly Attempt[]): void {
  const reduces = attempts.map((attempt) => attempt.task.index);
  const found: MapLocation[] = [];
  const lost: number[] = [];
  const peers = new Set<WorkerInfo>();
  for (const task of job.map.tasks) {
    if (isLocated(task)) {
      found.push(locationOf(job, task, reduces));
      if (task.holder) peers.add(task.holder.info);
    } else if (task.lostAtVersion > 0) {
      lost.push(task.index);
    }
  }
  if (found.length === 0 && lost.length === 0) return;
  sendLocations(turn, job, worker.id, { reduces, found, lost, peers: [...peers] });
}

/** One map, for every reduce that fetches on this worker. */
export function sendLocation(turn: Turn, job: Job, workerId: WorkerId, map: Task): void {
  if (!isLocated(map)) return;
  const reduces = fetchingOn(job, workerId);
  if (reduces.length === 0) return;
  const found = [locationOf(job, map, reduces)];
  const peers = map.holder ? [map.holder.info] : [];
  sendLocations(turn, job, workerId, { reduces, found, lost: [], peers });
}

/** Some worker serves its output, or the store has it. */
export function isLocated({ holder, copied }: Task): boolean {
  return holder !== undefined || copied;
}

/** A map output was accepted: `worker` serves it from now on, without one the store does, and whoever fetches hears of it. */
export function addLocation(turn: Turn, job: Job, map: Task, worker: Worker | undefined): void {
  map.holder = worker;
  if (worker) outputsOf(worker, job.spec.jobId).add(map.index);
  job.locationVersion++;
  for (const workerId of job.subscribers.keys()) sendLocation(turn, job, workerId, map);
}

function outputsOf(worker: Worker, jobId: JobId): Set<number> {
  const outputs = worker.outputs.get(jobId) ?? new Set();
  worker.outputs.set(jobId, outputs);
  return outputs;
}

function locationOf(job: Job, map: Task, reduces: readonly number[]): MapLocation {
  const { id } = map.accepted!;
  return {
    map: map.index,
    attempt: id.attempt,
    epoch: id.epoch,
    worker: map.holder?.id,
    digests: reduces.map((reduce) => job.digests!.get(map.index, reduce)),
  };
}

function fetchingOn(job: Job, workerId: WorkerId): number[] {
  return [...(job.subscribers.get(workerId) ?? [])].map((attempt) => attempt.task.index);
}

interface Locations {
  readonly reduces: readonly number[];
  readonly found: readonly MapLocation[];
  readonly lost: readonly number[];
  readonly peers: readonly WorkerInfo[];
}

function sendLocations(turn: Turn, job: Job, workerId: WorkerId, what: Locations): void {
  const { jobId } = job.spec;
  turn.effects.push({ type: 'send-locations', workerId, jobId, version: job.locationVersion, ...what });
}

/**
 * These accepted outputs of one worker, or copies in the store, are gone, all for one cause. What the store still has is read there; of
 * the rest, those that some reduce still needs go back to waiting, before other maps.
 */
export function loseOutputs(turn: Turn, job: Job, maps: readonly Task[], cause: string): void {
  if (maps.length === 0 || job.phase.name !== 'working') return;
  const holderId = maps[0]!.holder?.id;
  for (const map of maps) dropHolder(job, map);
  const copied = maps.filter((map) => map.copied);
  if (copied.length > 0) useCopies(turn, job, copied, cause);
  const gone = maps.filter((map) => !map.copied);
  if (gone.length > 0) rerunLost(turn, job, gone, holderId, cause);
}

/** Their worker is gone, what they made is not. */
function useCopies(turn: Turn, job: Job, maps: readonly Task[], cause: string): void {
  job.locationVersion++;
  for (const workerId of job.subscribers.keys()) {
    const reduces = fetchingOn(job, workerId);
    const found = maps.map((map) => locationOf(job, map, reduces));
    sendLocations(turn, job, workerId, { reduces, found, lost: [], peers: [] });
  }
  const names = listNames(maps.map(formatTask));
  say(turn, 'info', { job }, `map outputs are read from their copies (${maps.length}): ${cause}; ${names}`);
}

function rerunLost(
  turn: Turn,
  job: Job,
  maps: readonly Task[],
  holderId: WorkerId | undefined,
  cause: string,
): void {
  job.locationVersion++;
  emitOutputsLost(turn, job, holderId ?? null, maps.length, cause);
  for (const map of maps) map.lostAtVersion = job.locationVersion;
  const lost = maps.map((map) => map.index);
  for (const workerId of job.subscribers.keys()) {
    sendLocations(turn, job, workerId, { reduces: fetchingOn(job, workerId), found: [], lost, peers: [] });
  }
  sendBackToWait(turn, job, maps);
  const rerun: string[] = [];
  const kept: string[] = [];
  for (const map of maps) {
    const needer = whoNeeds(job, map.index);
    if (needer === undefined) job.unlocated.add(map.index);
    else rerunMap(turn, job, map, `${cause}; still needed by ${needer}`);
    (needer === undefined ? kept : rerun).push(formatTask(map));
  }
  const again = rerun.length > 0 ? `; to run again: ${listNames(rerun)}` : '';
  const notNeeded = kept.length > 0 ? `; not needed any more: ${listNames(kept)}` : '';
  say(turn, 'warn', { job }, `lost map outputs (${maps.length}): ${cause}${again}${notNeeded}`);
}

function dropHolder(job: Job, map: Task): void {
  const { jobId } = job.spec;
  const outputs = map.holder?.outputs.get(jobId);
  outputs?.delete(map.index);
  if (outputs?.size === 0) map.holder?.outputs.delete(jobId);
  map.holder = undefined;
  if (map.trouble) map.trouble.unreachable = 0;
}

function rerunMap(turn: Turn, job: Job, map: Task, cause: string): void {
  markIdle(turn.state, job, map);
  job.map.reruns++;
  turn.wantsSchedule = true;
  turn.changed.add(job.spec.jobId);
  tellTrouble(turn.state, job, map, 'rerun', cause);
}

/** A reduce starts again and so needs every map: those done without an output must run. */
export function rerunUnlocated(turn: Turn, job: Job, reduce: Task): void {
  if (job.phase.name !== 'working') return;
  const cause = `its output is gone and ${formatTask(reduce)} starts again`;
  for (const index of job.unlocated) rerunMap(turn, job, job.map.tasks[index]!, cause);
  job.unlocated.clear();
}

/** Whether some reduce cannot do without a worker that has these outputs. */
export function needsAny(job: Job, outputs: ReadonlySet<number>): boolean {
  if (job.phase.name !== 'working') return false;
  const maps = [...outputs].filter((map) => !job.map.tasks[map]!.copied);
  if (maps.length === 0) return false;
  if (waitingCount(job.reduce) > 0) return true;
  for (const fetching of job.subscribers.values()) {
    for (const { fetch } of fetching) for (const map of maps) if (!fetch?.fetched.has(map)) return true;
  }
  return false;
}

/** The name of a reduce that cannot do without this map's output, or undefined. */
function whoNeeds(job: Job, map: number): string | undefined {
  if (waitingCount(job.reduce) > 0) return 'reduces that have not started';
  for (const fetching of job.subscribers.values()) {
    for (const { fetch, task } of fetching) if (!fetch?.fetched.has(map)) return formatTask(task);
  }
  return undefined;
}

/** An isolated reduce would keep its worker from running the maps it waits for, one that drains from leaving: it waits outside. */
function sendBackToWait(turn: Turn, job: Job, maps: readonly Task[]): void {
  for (const fetching of [...job.subscribers.values()]) {
    for (const attempt of [...fetching]) {
      const { isolated, worker, fetch } = attempt;
      if (!isolated && !worker.draining) continue;
      if (maps.every((map) => fetch?.fetched.has(map.index))) continue;
      const what = isolated ? 'it must not hold a whole worker meanwhile' : 'its worker drains';
      cancelAttempt(turn, attempt, `map outputs it needs are gone, and ${what}`);
      releaseTask(turn, job, attempt.task);
    }
  }
}
