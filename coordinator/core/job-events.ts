/** What happens to a job, told as it happens: for its event log and the metrics. Never walks a table. */
import type { AttemptFailure } from '../../lib/attempt-failure.ts';
import { formatTask } from '../../lib/ids.ts';
import type { AttemptReason, AttemptSums, JobEvent } from '../../lib/job-event.ts';
import type { Split } from '../../lib/job-spec.ts';
import type { DamageView, DifferenceView, JobCause, JobState } from '../../lib/job-view.ts';
import type { AttemptOutcome } from '../../lib/reports.ts';
import type { Attempt, Job, Task } from './state.ts';
import type { Turn } from './turn.ts';

/** How an attempt ended, for whoever reads its events. */
export type AttemptEnd =
  | { readonly outcome: 'done' | 'superseded'; readonly sums: AttemptSums }
  | { readonly outcome: 'failed'; readonly failure: AttemptFailure }
  | { readonly outcome: 'cancelled' | 'lost' };

/** The only place where what users see of a job's state is changed. */
export function showState(turn: Turn, job: Job, state: JobState, cause: JobCause | null = null): void {
  job.shown = state;
  job.cause = cause;
  emit(turn, { ...headOf(turn, job), type: 'job-state', state, cause });
}

/** Whatever of it is not adopted from here on has ended unheard. */
export function emitRestored(turn: Turn, job: Job): void {
  const { epoch } = turn.state.config;
  emit(turn, { ...headOf(turn, job), type: 'job-restored', epoch, reduces: job.spec.reducers });
}

export function emitAdopted(turn: Turn, attempt: Attempt): void {
  emit(turn, { ...headOf(turn, attempt.job), type: 'attempt-adopted', ...nameOf(attempt) });
}

export function emitPlanned(turn: Turn, job: Job, splits: readonly Split[]): void {
  const maps = splits.length;
  const inputBytes = splits.reduce((sum, split) => sum + split.bytes, 0);
  emit(turn, { ...headOf(turn, job), type: 'job-planned', maps, reduces: job.spec.reducers, inputBytes });
}

export function emitStarted(turn: Turn, attempt: Attempt): void {
  const { job, task } = attempt;
  const sinceMs = Math.max(task.waitingSinceMs, job[task.kind].openedAtMs ?? turn.now);
  emit(turn, {
    ...headOf(turn, job),
    type: 'attempt-started',
    ...nameOf(attempt),
    reason: reasonOf(task, attempt),
    waitedMs: attempt.backup ? 0 : turn.now - sinceMs,
  });
}

function reasonOf(task: Task, { id, backup }: Attempt): AttemptReason {
  if (backup) return 'backup';
  if (task.accepted) return 'rerun';
  return id.attempt === 0 ? 'first' : 'retry';
}

export function emitEnded(turn: Turn, attempt: Attempt, end: AttemptEnd): void {
  emit(turn, {
    ...headOf(turn, attempt.job),
    type: 'attempt-ended',
    ...nameOf(attempt),
    outcome: end.outcome,
    durationMs: turn.now - attempt.assignedAtMs,
    failure: end.outcome === 'failed' ? end.failure : null,
    sums: end.outcome === 'done' || end.outcome === 'superseded' ? end.sums : null,
  });
}

export function emitOutputsLost(
  turn: Turn,
  job: Job,
  worker: string | null,
  maps: number,
  why: string,
): void {
  emit(turn, { ...headOf(turn, job), type: 'outputs-lost', worker, maps, why });
}

export function emitDamaged(turn: Turn, job: Job, damage: DamageView): void {
  emit(turn, { ...headOf(turn, job), type: 'segment-damaged', ...damage });
}

export function emitDiffered(turn: Turn, job: Job, difference: DifferenceView): void {
  emit(turn, { ...headOf(turn, job), type: 'map-differed', ...difference });
}

const noSums: AttemptSums = {
  inputRecords: 0,
  inputBytes: 0,
  outputRecords: 0,
  outputBytes: 0,
  spills: 0,
  spillBytes: 0,
  fetchMs: 0,
};

/** Of a report that an attempt is done. */
export function sumsOf(outcome: Exclude<AttemptOutcome, { kind: 'failed' }>): AttemptSums {
  switch (outcome.kind) {
    case 'sample-done':
      return noSums;
    case 'map-done': {
      const { inputRecords, inputBytes, segments, part, spills, spillBytes } = outcome.report;
      let [outputRecords, outputBytes] = [part?.records ?? 0, part?.bytes ?? 0];
      for (const { records, bytes } of segments) {
        outputRecords += records;
        outputBytes += bytes;
      }
      return { inputRecords, inputBytes, outputRecords, outputBytes, spills, spillBytes, fetchMs: 0 };
    }
    case 'reduce-done': {
      const { consumed, part, fetchMs } = outcome.report;
      const input = { inputRecords: consumed.records, inputBytes: consumed.bytes };
      return { ...noSums, ...input, outputRecords: part.records, outputBytes: part.bytes, fetchMs };
    }
  }
}

function headOf({ now }: Turn, { spec }: Job) {
  return { atMs: now, jobId: spec.jobId };
}

function nameOf({ id, task, worker }: Attempt) {
  return { task: formatTask(task), attempt: id.attempt, worker: worker.id };
}

function emit(turn: Turn, event: JobEvent): void {
  turn.effects.push({ type: 'job-event', event });
}
