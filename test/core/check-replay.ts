/** Whether a journal gives the state back that wrote it, and its snapshot the same again: in all that is not the workers' to say. */
import { deepStrictEqual } from 'node:assert';
import { chargesRecords } from '../../coordinator/core/charges.ts';
import type { PersistRecord } from '../../coordinator/core/effects.ts';
import { outputTable } from '../../coordinator/core/ending.ts';
import { assertInvariants } from '../../coordinator/core/invariants.ts';
import { snapshotRecords } from '../../coordinator/core/snapshot.ts';
import { type CoreState, createState, type Job } from '../../coordinator/core/state.ts';
import { step } from '../../coordinator/core/step.ts';
import { viewOf } from '../../coordinator/core/view.ts';
import { assert } from '../../lib/assert.ts';

/** `journal`: a snapshot of some time, or nothing, and all that was persisted since. Through JSON, as on disk. */
export function checkReplay(live: CoreState, journal: readonly PersistRecord[]): void {
  const replica = replay(live, journal);
  const replayed = durable(replica);
  deepStrictEqual(replayed, durable(live), 'the journal gives back what wrote it');
  for (const job of live.activeJobs) checkDropped(job, replica.jobs.get(job.spec.jobId)!);
  const snapshot = snapshotRecords(live);
  deepStrictEqual(durable(replay(live, snapshot)), replayed, 'a snapshot gives back what was compacted');
  deepStrictEqual(
    sorted(snapshotRecords(replay(live, snapshot))),
    sorted(snapshot),
    'a snapshot of a snapshot is the same',
  );
}

/** What these records make of a coordinator of the same epoch, now. */
export function replay({ config, now }: CoreState, records: readonly PersistRecord[]): CoreState {
  // The same epoch, so that nothing is said of it: only the state is looked at.
  const state = createState(config);
  const copies = JSON.parse(JSON.stringify(records)) as PersistRecord[];
  step(state, { type: 'journal-replayed', records: copies, now });
  assertInvariants(state);
  return state;
}

/** All of it that is in the journal. */
export function durable(state: CoreState): unknown {
  const workers = new Set([...state.workers.keys(), ...(state.recovery?.awaited ?? [])]);
  const whole = { workers: [...workers].sort(), jobs: [...state.jobs.values()].map(durableJob) };
  return JSON.parse(JSON.stringify(whole));
}

function durableJob(job: Job) {
  const { spec, phase, splits, info, startedAtMs } = job;
  if (phase.name === 'ended') return { spec, ended: endedView(job) };
  const { tasks } = outputTable(job);
  return {
    spec,
    // Whether the discard is under way is found out again.
    phase: phase.name === 'discarding' ? 'stopping' : phase.name,
    outcome: 'outcome' in phase && phase.outcome,
    commit: 'commit' in phase && phase.commit,
    splits,
    cutPoints: info.cutPoints.map((key) => [...key]),
    startedAtMs,
    differences: job.differences,
    failedAttempts: job.failedAttempts,
    charges: chargesRecords({ ...job, failedAttempts: [] }, 0).map(withoutWorkers),
    staged: 'outcome' in phase || 'commit' in phase ? [] : stagedOf(job),
    accepted: tasks.map(({ accepted }) => (accepted?.part ? accepted : undefined)),
  };
}

/** Where a task failed is known of condemned outputs, too, which no record tells of. */
function withoutWorkers(record: PersistRecord): unknown {
  return record.type === 'task-charged'
    ? { ...record, charges: { ...record.charges, failedOn: [] } }
    : record;
}

/** Tokens of parts that are begun, or to be dropped. */
function stagedOf(job: Job): string[] {
  const { discards, restored, spec } = job;
  const tasks = [...job.map.tasks, ...job.reduce.tasks];
  const alive = tasks.flatMap((task) => task.attempts.flatMap(({ openParts }) => openParts));
  // What accepted maps skipped is theirs to say again, too.
  const bad = spec.reducers === 0 ? [] : tasks.flatMap(({ accepted }) => accepted?.bad?.part ?? []);
  const dropped = [...discards, ...(restored?.openParts.values() ?? [])].map(({ part }) => part);
  return [...new Set([...alive, ...bad, ...dropped].map(({ token }) => token))].sort();
}

/** A job that ends: what losers begin meanwhile is dropped at once by who leads, and once more by who leads next. */
function checkDropped(live: Job, replica: Job): void {
  const known = new Set(stagedOf(replica));
  for (const token of stagedOf(live)) assert(known.has(token), `${live.spec.jobId}: ${token} is dropped`);
}

/** Without what attempts that were cancelled had read until then. */
function endedView(job: Job) {
  const { map, reduce, ...view } = viewOf(job);
  const counts = [map, reduce].map(({ records, bytes, ...phase }) => phase);
  return { ...view, counts };
}

function sorted(records: readonly PersistRecord[]): string[] {
  return records.map((record) => JSON.stringify({ ...record, at: 0 })).sort();
}
