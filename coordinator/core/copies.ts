/**
 * Copies of map outputs in the store (`--durability`): workers say which are whole, and after a replay those of maps that nobody brought
 * are looked for. No copy is in the journal: the store can be asked which there are.
 */
import { type JobId, sameAttempt } from '../../lib/ids.ts';
import type { MapCopy } from '../../lib/map-copy.ts';
import { rememberCopy } from './copied.ts';
import type { EventOf } from './events.ts';
import { takeOutput } from './resume.ts';
import type { Job, Recovery } from './state.ts';
import { say, type Turn } from './turn.ts';
import { liveWorker } from './workers.ts';

/** Maps of one search, fewer when their counts of segments would fill the memory. */
const mapsPerSearch = 1_000;
const segmentsPerSearch = 500_000;

/** Of outputs that this worker serves: any other may have been condemned meanwhile. */
export function mapsCopied(turn: Turn, { workerId, attempts }: EventOf<'maps-copied'>): void {
  const worker = liveWorker(turn, workerId);
  if (!worker) return;
  for (const id of attempts) {
    const job = turn.state.jobs.get(id.jobId);
    const map = id.kind === 'map' ? job?.map.tasks[id.index] : undefined;
    if (!job || map?.holder !== worker || !sameAttempt(map.accepted!.id, id)) continue;
    rememberCopy(turn, job, map);
  }
  if (worker.draining) turn.wantsDrainCheck = true;
}

/** Everybody who comes back is back: what is still missing may be in the store. */
export function beginSearches(turn: Turn, recovery: Recovery): void {
  const searches = new Map<JobId, readonly number[]>();
  recovery.searches = searches;
  for (const job of turn.state.activeJobs) {
    const { durability = 'local', reducers } = job.spec;
    if (!job.restored || durability === 'local' || reducers === 0) continue;
    const missing = job.map.tasks.filter(({ status }) => status === 'idle').map(({ index }) => index);
    search(turn, job, searches, missing);
  }
}

/** The next of these maps; when there is none the search of this job is over. */
function search(
  turn: Turn,
  job: Job,
  searches: Map<JobId, readonly number[]>,
  missing: readonly number[],
): void {
  const { spec } = job;
  if (missing.length === 0 || job.phase.name !== 'working') {
    searches.delete(spec.jobId);
    return;
  }
  const size = Math.max(1, Math.min(mapsPerSearch, Math.floor(segmentsPerSearch / spec.reducers)));
  searches.set(spec.jobId, missing.slice(size));
  turn.effects.push({ type: 'find-copies', spec, maps: missing.slice(0, size) });
}

export function copiesFound(turn: Turn, { jobId, maps, copies }: EventOf<'copies-found'>): void {
  const { jobs, recovery } = turn.state;
  const job = jobs.get(jobId);
  const searches = recovery?.searches;
  const missing = searches?.get(jobId);
  if (!job || !searches || !missing) return;
  const taken = job.phase.name === 'working' ? copies.filter((copy) => takeCopy(turn, job, copy)) : [];
  if (taken.length > 0) {
    const text = `${taken.length} of ${maps.length} map outputs that no worker brought back are in the store: they do not run again`;
    say(turn, 'info', { job }, text);
  }
  search(turn, job, searches, missing);
}

function takeCopy(turn: Turn, job: Job, { attempt, worker: workerId, report, counters }: MapCopy): boolean {
  // Its worker has come back meanwhile and still is to report it.
  const isAlive = job.map.tasks[attempt.index]?.attempts.some(({ id }) => sameAttempt(id, attempt));
  if (isAlive) return false;
  // An attempt that was refused or given up has dropped what it skipped, though its copy is there: only a worker that has the output knows.
  if (report.bad) return false;
  const outcome = { kind: 'map-done', report } as const;
  const said = { attempt, outcome, counters, again: true };
  return takeOutput(turn, job, { worker: undefined, workerId, report: said, output: report });
}
