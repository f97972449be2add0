/** What fetching reduces say: what they hold, and what they cannot get. A fetch failure never fails the reduce (I14). */
import { type AttemptId, attemptKey, formatAttempt, type WorkerId } from '../../lib/ids.ts';
import type { FetchTrouble } from '../../lib/reports.ts';
import { condemnOutput } from './condemn.ts';
import { tellFetchTrouble } from './damages.ts';
import type { EventOf } from './events.ts';
import { mapHeld } from './heard.ts';
import { isLocated, sendLocation, unsubscribe } from './locations.ts';
import { updatePlaces } from './places.ts';
import type { Attempt, FetchState, Task } from './state.ts';
import { taskTrouble } from './tasks.ts';
import type { Turn } from './turn.ts';
import { liveWorker } from './workers.ts';

interface Fetching {
  readonly attempt: Attempt;
  readonly fetch: FetchState;
}

/** The attempt if it is a reduce that runs on this worker and still fetches; anything else is late and of no consequence. */
function findFetching(turn: Turn, workerId: WorkerId, id: AttemptId): Fetching | undefined {
  const attempt = liveWorker(turn, workerId)?.attempts.get(attemptKey(id));
  if (attempt?.status !== 'running' || !attempt.fetch || attempt.fetch.complete) return undefined;
  return { attempt, fetch: attempt.fetch };
}

export function fetchProgressed(turn: Turn, { workerId, progress }: EventOf<'fetch-progressed'>): void {
  const found = findFetching(turn, workerId, progress.attempt);
  if (!found) return;
  const { attempt, fetch } = found;
  const { job, worker } = attempt;
  for (const [at, map] of progress.maps.entries()) {
    if (map >= job.map.total) continue;
    if (!mapHeld(turn, attempt, map, progress.digests[at]!)) return;
    fetch.fetched.add(map);
  }
  if (!progress.complete) return;
  unsubscribe(attempt);
  fetch.complete = true;
  worker.fetching--;
  worker.slotsUsed++;
  updatePlaces(turn.state, worker);
  turn.wantsSchedule = true;
  turn.changed.add(job.spec.jobId);
}

export function fetchTroubled(turn: Turn, { workerId, trouble }: EventOf<'fetch-troubled'>): void {
  const found = findFetching(turn, workerId, trouble.attempt);
  if (!found) return;
  const { job, task: reduce } = found.attempt;
  const map = job.map.tasks[trouble.map];
  if (!map) return;
  tellFetchTrouble(turn, job, reduce, map, trouble);
  const isCurrent = map.accepted?.id.attempt === trouble.mapAttempt && map.holder?.id === trouble.worker;
  if (!isCurrent || !isLocated(map)) {
    // Of an earlier output: it only has not heard of the current one.
    return sendLocation(turn, job, workerId, map);
  }
  if (isCondemned(turn, map, trouble)) {
    const { attempt, cause, detail } = trouble;
    // Nobody knows whose doing it is when it is whole on its disk and comes damaged time and again.
    const isHoldersFault = cause !== 'undeliverable';
    condemnOutput(turn, job, map, `${cause}, says ${formatAttempt(attempt)}: ${detail}`, { isHoldersFault });
  }
}

/** An unreachable worker is its lease's to judge, unless it goes on heartbeating while nobody gets the output. */
function isCondemned(turn: Turn, map: Task, { cause }: FetchTrouble): boolean {
  if (cause === 'damaged-in-transit') return false;
  if (cause !== 'unreachable') return true;
  const trouble = taskTrouble(map);
  trouble.unreachable++;
  return trouble.unreachable >= turn.state.config.unreachableReportsMax;
}
