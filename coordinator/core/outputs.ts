/** A map output was accepted, from whomever and again or not: what follows from it for the reduces of its job. */
import { assert } from '../../lib/assert.ts';
import type { WorkerId } from '../../lib/ids.ts';
import type { Counters } from '../../lib/job-spec.ts';
import type { AttemptReport, MapReport } from '../../lib/reports.ts';
import { addCounts, noCounts } from '../../lib/segment-digest.ts';
import { commitWhenDone } from './complete.ts';
import { rememberCopy } from './copied.ts';
import { mapHeard } from './heard.ts';
import { showState } from './job-events.ts';
import { addLocation } from './locations.ts';
import { rerunDiffers } from './reruns.ts';
import type { Accepted, Job, Task, Worker } from './state.ts';
import type { Turn } from './turn.ts';

/** Of a job with reduces; `map.accepted` is this output, and was `before`. Without a worker its copy in the store is all there is. */
export interface AcceptedOutput {
  readonly job: Job;
  readonly map: Task;
  readonly worker: Worker | undefined;
  readonly report: MapReport;
  readonly before: Accepted | undefined;
}

export function outputAccepted(turn: Turn, { job, map, worker, report, before }: AcceptedOutput): void {
  const { segments } = report;
  assert(job.digests, 'digests are kept while maps can run');
  // The first attempt's sizes stand: an estimate, and a rerun of the same input makes the same.
  if (map.lostAtVersion === 0) {
    for (const [partition, { bytes }] of segments.entries()) job.partitionBytes[partition]! += bytes;
  }
  const isFirst = !job.digests.has(map.index);
  const changed = job.digests.replace(map.index, segments);
  if (before && rerunDiffers(turn, job, map, before, changed)) return;
  if (report.copied) rememberCopy(turn, job, map);
  addLocation(turn, job, map, worker);
  if (job.restored) mapHeard(turn, job, map, isFirst ? { segments } : { changed });
  if (job.phase.name !== 'working') return;
  mapsWentOn(turn, job);
  // A restored job may have had all its reduces before all its maps.
  if (job.restored) commitWhenDone(turn, job);
}

/** Shared: most maps have none. */
const noCounters: Counters = {};
const noKeys: readonly Uint8Array[] = [];

/** What is kept of a map's report once it is accepted. */
export function mapResult(
  { attempt: id, counters }: Pick<AttemptReport, 'attempt' | 'counters'>,
  workerId: WorkerId,
  report: MapReport,
): Accepted {
  const { inputRecords, inputBytes, segments, part, bad } = report;
  const counts = segments.reduce(addCounts, noCounts);
  const kept = Object.keys(counters).length === 0 ? noCounters : counters;
  return { id, workerId, inputRecords, inputBytes, counts, counters: kept, part, bad, keys: noKeys };
}

/** A map is done: reduces may start, and all maps may be. */
export function mapsWentOn(turn: Turn, job: Job): void {
  turn.wantsSchedule = true;
  if (job.map.done < job.map.total) return;
  job.mapsDoneAtMs = turn.now;
  if (job.shown === 'MAPPING') showState(turn, job, 'REDUCING');
}
