/** From a submitted spec to tables of tasks: splits, samples and cut points. */
import type { JobSpec, Split } from '../../lib/job-spec.ts';
import { commitWhenDone } from './complete.ts';
import { DigestTable } from './digests.ts';
import { stopJob } from './ending.ts';
import type { EventOf } from './events.ts';
import { emitPlanned, showState } from './job-events.ts';
import { chooseCutPoints, chooseSamples } from './sample.ts';
import type { CoreConfig, Job, JobPhase, RestoredJob } from './state.ts';
import { tellJob } from './story.ts';
import { createTable } from './tasks.ts';
import { say, type Turn } from './turn.ts';

export function jobSubmitted(turn: Turn, { spec }: EventOf<'job-submitted'>): void {
  const { state } = turn;
  if (state.jobs.has(spec.jobId))
    return say(turn, 'warn', { job: { spec } }, `job ${spec.jobId} was submitted twice`);
  const job = createJob(spec, state.jobsSubmitted++, undefined);
  state.jobs.set(spec.jobId, job);
  state.activeJobs.add(job);
  turn.persist.push({ type: 'job-accepted', at: turn.now, spec });
  turn.effects.push({ type: 'list-splits', spec });
  showState(turn, job, 'SUBMITTED');
  tellJob(state, job, 'submitted');
  turn.changed.add(spec.jobId);
}

export function createJob(spec: JobSpec, order: number, restored: RestoredJob | undefined): Job {
  return {
    spec,
    order,
    info: { spec, cutPoints: [] },
    phase: { name: 'listing' },
    shown: 'SUBMITTED',
    cause: null,
    startedAtMs: null,
    endedAtMs: null,
    splits: [],
    sampleSplits: [],
    hasHosts: false,
    sample: createTable('sample', 0),
    map: createTable('map', 0),
    reduce: createTable('reduce', 0),
    attemptsAlive: 0,
    mapsDoneAtMs: undefined,
    digests: undefined,
    partitionBytes: new Float64Array(0),
    locationVersion: 0,
    subscribers: new Map(),
    unlocated: new Set(),
    mapsCopied: 0,
    counters: new Map(),
    profile: undefined,
    discards: [],
    restored,
    failedAttempts: [],
    differences: [],
    damages: [],
    story: [],
  };
}

export function listingFailed(turn: Turn, { jobId, error }: EventOf<'listing-failed'>): void {
  const job = turn.state.jobs.get(jobId);
  if (job?.phase.name !== 'listing') return;
  const cause = { code: error.code, message: error.message, task: null, failure: null };
  stopJob(turn, job, { state: 'FAILED', cause });
}

export function splitsListed(turn: Turn, { jobId, splits }: EventOf<'splits-listed'>): void {
  const job = turn.state.jobs.get(jobId);
  // Cancelled meanwhile.
  if (job?.phase.name !== 'listing') return;
  turn.persist.push({ type: 'job-planned', at: turn.now, jobId, splits });
  const { name } = planTables(job, splits, turn.state.config);
  emitPlanned(turn, job, splits);
  showState(turn, job, 'MAPPING');
  tellJob(turn.state, job, 'planned', `${splits.length} maps, ${job.spec.reducers} reduces`);
  turn.wantsSchedule = true;
  turn.changed.add(jobId);
  if (name === 'working') beginWork(turn, job);
}

/** Also of a job that is restored: leaves it `sampling` or `working`. */
export function planTables(job: Job, splits: readonly Split[], config: CoreConfig): JobPhase {
  const { reducers, partition, input } = job.spec;
  job.splits = splits;
  job.hasHosts = splits.some((split) => split.hosts.length > 0);
  job.map = createTable('map', splits.length);
  job.reduce = createTable('reduce', reducers);
  job.digests = new DigestTable(splits.length, reducers);
  job.partitionBytes = new Float64Array(reducers);
  job.phase = { name: 'working' };
  if (partition !== 'range' || reducers <= 1 || splits.length === 0) return job.phase;
  job.sampleSplits = chooseSamples(splits, input, config);
  job.sample = createTable('sample', job.sampleSplits.length);
  job.phase = { name: 'sampling' };
  return job.phase;
}

/** After each accepted sample: when all are, the ranges are fixed and the maps may start. */
export function cutWhenSampled(turn: Turn, job: Job): void {
  if (job.sample.done < job.sample.total) return;
  const keys = job.sample.tasks.flatMap((task) => task.accepted?.keys ?? []);
  job.info = { spec: job.spec, cutPoints: chooseCutPoints(keys, job.spec.reducers) };
  const cutPoints = job.info.cutPoints.map((key) => Buffer.from(key).toString('base64'));
  turn.persist.push({ type: 'job-sampled', at: turn.now, jobId: job.spec.jobId, cutPoints });
  tellJob(turn.state, job, 'sampled', `${keys.length} keys, ${job.info.cutPoints.length} cut points`);
  job.phase = { name: 'working' };
  beginWork(turn, job);
}

/** Also of a job that is restored. */
export function beginWork(turn: Turn, job: Job): void {
  turn.wantsSchedule = true;
  if (job.map.total > 0) return;
  // Nothing to map: a map-only job is done, a reduce makes its empty part.
  job.mapsDoneAtMs = turn.now;
  if (job.spec.reducers > 0) showState(turn, job, 'REDUCING');
  commitWhenDone(turn, job);
}
