/** The journal in short: the records that, replayed, give the same state as all those that led to it. */
import { attemptKey } from '../../lib/ids.ts';
import type { PartOpened } from '../../lib/reports.ts';
import { chargesRecords } from './charges.ts';
import type { PersistRecord } from './effects.ts';
import { outputTable } from './ending.ts';
import { partAccepted } from './parts.ts';
import type { CoreState, Job, Task } from './state.ts';
import { viewOf } from './view.ts';

/** Bounded by the jobs that have not ended, and by how many ended ones are remembered. */
export function snapshotRecords(state: CoreState): PersistRecord[] {
  const at = state.now;
  const workers = new Set([...(state.recovery?.awaited ?? []), ...state.workers.keys()]);
  const joined = [...workers].map((workerId) => ({ type: 'worker-joined', at, workerId }) as const);
  return [...joined, ...[...state.jobs.values()].flatMap((job) => jobRecords(job, at))];
}

function jobRecords(job: Job, at: number): PersistRecord[] {
  const { spec, shown, cause, phase } = job;
  const accepted: PersistRecord = { type: 'job-accepted', at: spec.submittedAtMs, spec };
  if (phase.name !== 'ended')
    return [
      accepted,
      ...planRecords(job, at),
      ...chargesRecords(job, at),
      ...partRecords(job, at),
      ...differenceRecords(job, at),
      ...phaseRecords(job, at),
    ];
  const view = viewOf(job);
  return [accepted, { type: 'job-ended', at: job.endedAtMs!, jobId: spec.jobId, state: shown, cause, view }];
}

function planRecords(
  { spec, shown, splits, sample, info, phase, startedAtMs }: Job,
  at: number,
): PersistRecord[] {
  const { jobId } = spec;
  if (shown === 'SUBMITTED') return [];
  const records: PersistRecord[] = [{ type: 'job-planned', at, jobId, splits }];
  if (sample.total > 0 && phase.name !== 'sampling') {
    const cutPoints = info.cutPoints.map((key) => Buffer.from(key).toString('base64'));
    records.push({ type: 'job-sampled', at, jobId, cutPoints });
  }
  if (startedAtMs !== null) records.push({ type: 'job-started', at: startedAtMs, jobId });
  return records;
}

/** What must be dropped is opened and never accepted. The current part of an attempt comes after one that it gave up. */
function partRecords(job: Job, at: number): PersistRecord[] {
  const opened = new Map<string, PartOpened>();
  const open = ({ attempt, part }: PartOpened) => {
    const key = `${attemptKey(attempt)} ${part.token}`;
    opened.delete(key);
    opened.set(key, { attempt, part });
  };
  for (const part of job.discards) open(part);
  for (const part of job.restored?.openParts.values() ?? []) open(part);
  for (const { tasks } of [job.map, job.reduce]) {
    for (const task of tasks) {
      if (task.attempts.length > 0) openPartsOf(task).forEach(open);
      if (task.accepted?.bad) badPartOf(job, task).forEach(open);
    }
  }
  const records = [...opened.values()].map((one): PersistRecord => ({ type: 'part-opened', at, ...one }));
  return [...records, ...outputTable(job).tasks.flatMap((task) => resultRecords(task, at))];
}

function openPartsOf({ attempts }: Task): PartOpened[] {
  return attempts.flatMap(({ id, openParts }) => openParts.map((part) => ({ attempt: id, part })));
}

/** Staged by a map whose output is in no journal: it is dropped, unless the map is heard again. */
function badPartOf({ spec }: Job, { accepted }: Task): PartOpened[] {
  if (spec.reducers === 0 || !accepted?.bad) return [];
  return [{ attempt: accepted.id, part: accepted.bad.part }];
}

function resultRecords({ accepted }: Task, at: number): PersistRecord[] {
  if (!accepted?.part) return [];
  return [partAccepted(accepted, accepted.part, at)];
}

function differenceRecords({ spec, differences }: Job, at: number): PersistRecord[] {
  return differences.map((difference) => ({ type: 'map-differed', at, jobId: spec.jobId, difference }));
}

function phaseRecords({ spec, phase }: Job, at: number): PersistRecord[] {
  const { jobId } = spec;
  switch (phase.name) {
    case 'committing':
      return [{ type: 'job-committing', at, jobId, commit: phase.commit }];
    case 'stopping':
    case 'discarding':
      return [{ type: 'job-stopping', at, jobId, outcome: phase.outcome }];
    default:
      return [];
  }
}
