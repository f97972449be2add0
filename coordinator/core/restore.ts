/**
 * The first event of a coordinator: what those before it made durable becomes its state, and what they had under way is asked for again.
 * Map outputs and running attempts are not in the journal: their workers say them again (resume.ts, recovery.ts).
 */
import { assert, assertNever } from '../../lib/assert.ts';
import { type JobId, sameAttempt, type WorkerId } from '../../lib/ids.ts';
import type { Split } from '../../lib/job-spec.ts';
import type { PhaseView } from '../../lib/job-view.ts';
import type { PartOpened } from '../../lib/reports.ts';
import { noCounts } from '../../lib/segment-digest.ts';
import { restoreCharges, showFailed } from './charges.ts';
import { commitWhenDone, publish } from './complete.ts';
import type { Commit, PersistRecord, SuccessFacts } from './effects.ts';
import { forgetOldest, release } from './ending.ts';
import type { EventOf } from './events.ts';
import { emitRestored } from './job-events.ts';
import { addDifference } from './non-determinism.ts';
import { openPartKey } from './parts.ts';
import { beginWork, createJob, planTables } from './plan.ts';
import { beginRecovery } from './recovery.ts';
import type { CoreState, Job, Task, TaskTable } from './state.ts';
import { tellJob } from './story.ts';
import { markDone, markIdle, markRunning, replaceAccepted } from './tasks.ts';
import { say, type Turn } from './turn.ts';

type RecordOf<T extends PersistRecord['type']> = Extract<PersistRecord, { type: T }>;

export function journalReplayed(turn: Turn, { records }: EventOf<'journal-replayed'>): void {
  const { state } = turn;
  assert(state.jobs.size === 0 && state.workers.size === 0, 'the journal is replayed first');
  const live = new Set<WorkerId>();
  for (const record of records) restore(turn, live, record);
  for (const job of [...state.activeJobs]) goOn(turn, job);
  if (live.size === 0 && state.activeJobs.size === 0) return;
  const jobs = `jobs that had not ended and go on: ${state.activeJobs.size}`;
  say(turn, 'info', {}, `the journal was replayed; ${jobs}; workers that are expected back: ${live.size}`);
  beginRecovery(turn, live);
}

function restore(turn: Turn, live: Set<WorkerId>, record: PersistRecord): void {
  const { state } = turn;
  switch (record.type) {
    case 'worker-joined':
      live.add(record.workerId);
      return;
    case 'worker-gone':
      live.delete(record.workerId);
      return;
    case 'job-accepted':
      return restoreAccepted(state, record);
    case 'part-opened':
    case 'part-accepted':
    case 'part-revoked': {
      const job = activeJob(state, record.attempt.jobId);
      if (job) restorePart(state, job, record);
      else if (record.type === 'part-opened') dropLatePart(turn, record);
      return;
    }
    default: {
      const job = activeJob(state, record.jobId);
      if (job) restoreProgress(state, job, record);
      return;
    }
  }
}

function activeJob(state: CoreState, jobId: JobId): Job | undefined {
  const job = state.jobs.get(jobId);
  return job && state.activeJobs.has(job) ? job : undefined;
}

function restoreAccepted(state: CoreState, { spec }: RecordOf<'job-accepted'>): void {
  const job = createJob(spec, state.jobsSubmitted++, {
    mapsUnheard: 0,
    made: [],
    openParts: new Map(),
    over: new Set(),
  });
  state.jobs.set(spec.jobId, job);
  state.activeJobs.add(job);
}

/** Begun by a loser after the end of its job; whether it was dropped is not known. */
function dropLatePart({ state, effects }: Turn, { attempt, part }: RecordOf<'part-opened'>): void {
  const job = state.jobs.get(attempt.jobId);
  if (job) effects.push({ type: 'discard-part', spec: job.spec, part });
}

type Progress = RecordOf<
  | 'job-planned'
  | 'job-sampled'
  | 'job-started'
  | 'task-charged'
  | 'attempt-failed'
  | 'map-differed'
  | 'job-committing'
  | 'job-stopping'
  | 'job-ended'
>;

function restoreProgress(state: CoreState, job: Job, record: Progress): void {
  switch (record.type) {
    case 'job-planned':
      return restorePlan(state, job, record.splits);
    case 'job-sampled': {
      const cutPoints = record.cutPoints.map((key) => Uint8Array.from(Buffer.from(key, 'base64')));
      job.info = { spec: job.spec, cutPoints };
      job.phase = { name: 'working' };
      return;
    }
    case 'job-started':
      job.startedAtMs = record.at;
      return;
    case 'task-charged':
      return restoreCharges(state, job, record);
    case 'attempt-failed':
      return showFailed(job, record.failed);
    case 'map-differed':
      addDifference(job, record.difference);
      return;
    case 'job-committing':
      return restoreCommit(job, record.commit);
    case 'job-stopping':
      job.phase = { name: 'stopping', outcome: record.outcome };
      return;
    case 'job-ended':
      return restoreEnd(state, job, record);
    default:
      return assertNever(record, 'record');
  }
}

function restorePlan(state: CoreState, job: Job, splits: readonly Split[]): void {
  const { reducers } = job.spec;
  planTables(job, splits, state.config);
  job.shown = 'MAPPING';
  job.restored!.made = new Array(reducers).fill(noCounts);
  job.restored!.mapsUnheard = reducers === 0 ? 0 : splits.length;
}

type PartRecord = RecordOf<'part-opened' | 'part-accepted' | 'part-revoked'>;

function restorePart(state: CoreState, job: Job, record: PartRecord): void {
  const { attempt: id } = record;
  const task = job[id.kind].tasks[id.index];
  if (!task) return;
  task.attemptsStarted = Math.max(task.attemptsStarted, id.attempt + 1);
  switch (record.type) {
    case 'part-opened': {
      giveUpOpenPart(job, record);
      job.restored!.openParts.set(openPartKey(record), { attempt: id, part: record.part });
      return;
    }
    case 'part-accepted':
      giveUpOpenPart(job, record);
      if (record.bad) giveUpOpenPart(job, { attempt: id, part: record.bad.part });
      return restoreResult(job, task, record);
    case 'part-revoked':
      return restoreRevoked(state, job, task, record);
    default:
      return assertNever(record, 'record');
  }
}

/** An attempt has one part at one place: an earlier one is not wanted any more, unless it is this very one. */
function giveUpOpenPart(job: Job, opened: PartOpened): void {
  const { openParts } = job.restored!;
  const before = openParts.get(openPartKey(opened));
  openParts.delete(openPartKey(opened));
  if (before && before.part.token !== opened.part.token) job.discards.push(before);
}

function restoreResult(job: Job, task: Task, record: RecordOf<'part-accepted'>): void {
  const { attempt: id, workerId, inputRecords, inputBytes, consumed: counts, counters, part, bad } = record;
  // Not said by versions that compared the two without it.
  const { reduced = { records: counts.records, bytes: counts.bytes } } = record;
  markRunning(job, task);
  markDone(job, task);
  replaceAccepted(job, task, {
    id,
    workerId,
    inputRecords,
    inputBytes,
    counts,
    reduced: task.kind === 'reduce' ? reduced : undefined,
    counters,
    part,
    bad,
    keys: [],
  });
}

function restoreRevoked(state: CoreState, job: Job, task: Task, record: RecordOf<'part-revoked'>): void {
  const { accepted } = task;
  if (!accepted?.part || !sameAttempt(accepted.id, record.attempt)) return;
  // As one that is still open: whoever may go on takes it back.
  const opened = { attempt: accepted.id, part: accepted.part };
  job.restored!.openParts.set(openPartKey(opened), opened);
  replaceAccepted(job, task, undefined);
  markIdle(state, job, task);
  job[task.kind].reruns++;
}

/** Nothing more is asked of its maps: that they are done, and what they came to, is in the journal's word alone. */
function restoreCommit(job: Job, commit: Commit): void {
  job.phase = { name: 'committing', commit, failures: 0, retryAtMs: undefined };
  job.shown = 'COMMITTING';
  for (const map of job.map.tasks) {
    if (map.status === 'done') continue;
    markRunning(job, map);
    markDone(job, map);
  }
  restoreSums(job, commit.success);
}

function restoreSums(job: Job, success: SuccessFacts): void {
  const { inputRecords, inputBytes, intermediateRecords: records, intermediateBytes: bytes } = success;
  const { crc32 } = job.reduce.counts;
  const badRecords = (success.bad ?? []).reduce((sum, { part }) => sum + part.records, 0);
  Object.assign(job.map, { inputRecords, inputBytes, badRecords, counts: { records, bytes, crc32 } });
  job.counters.clear();
  for (const [name, value] of Object.entries(success.counters)) job.counters.set(name, value);
}

function restoreEnd(state: CoreState, job: Job, { state: shown, cause, view }: RecordOf<'job-ended'>): void {
  job.phase = { name: 'ended' };
  job.shown = shown;
  job.cause = cause;
  job.startedAtMs = view.startedAtMs;
  job.endedAtMs = view.endedAtMs;
  // Journals from before there were copies do not say.
  job.mapsCopied = view.mapsCopied ?? 0;
  job.failedAttempts.splice(0, Number.POSITIVE_INFINITY, ...view.failedAttempts);
  job.damages.push(...(view.damagedSegments ?? []));
  job.differences.splice(0, Number.POSITIVE_INFINITY, ...(view.nonDeterministic ?? []));
  job.counters.clear();
  for (const [name, value] of Object.entries(view.counters)) job.counters.set(name, value);
  release(state, job);
  job.map = { ...endedTable(job.map, view.map), badRecords: view.badRecords };
  job.reduce = endedTable(job.reduce, view.reduce);
  forgetOldest(state);
}

function endedTable(table: TaskTable, { total, done, ...view }: PhaseView): TaskTable {
  const { failedAttempts, backups, reruns, records, bytes } = view;
  const sums = { inputRecords: records, inputBytes: bytes };
  return { ...table, total, done, failedAttempts, backups, reruns, ...sums };
}

/** What the earlier coordinator had under way is asked for again. */
function goOn(turn: Turn, job: Job): void {
  const { state } = turn;
  emitRestored(turn, job);
  tellJob(state, job, 'restored', `from the journal, by the coordinator of epoch ${state.config.epoch}`);
  turn.changed.add(job.spec.jobId);
  switch (job.phase.name) {
    case 'listing':
      turn.effects.push({ type: 'list-splits', spec: job.spec });
      return;
    case 'working':
      if (job.map.total === 0) beginWork(turn, job);
      else commitWhenDone(turn, job);
      return;
    case 'committing':
      return publishAgain(turn, job, job.phase.commit);
    default:
      // It samples or stops: both wait until workers are back.
      return;
  }
}

/** With what was begun so late that the commit did not know of it. */
function publishAgain(turn: Turn, job: Job, commit: Commit): void {
  const published = (commit.success.bad ?? []).map(({ part }) => part);
  const known = new Set([...commit.discards, ...published].map(({ token }) => token));
  const late = [...job.restored!.openParts.values()].map(({ part }) => part);
  const discards = [...commit.discards, ...late.filter(({ token }) => !known.has(token))];
  publish(turn, job, { ...commit, discards });
}
