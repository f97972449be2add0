/**
 * The one report that ends an attempt. The first accepted one wins; every other one (late, duplicate, unknown, from the wrong
 * worker or of another epoch) changes nothing and is answered, so that its sender can clean up (I9).
 */
import { assert } from '../../lib/assert.ts';
import { attemptKey, formatAttempt } from '../../lib/ids.ts';
import type { AttemptSums } from '../../lib/job-event.ts';
import type { StagedPart } from '../../lib/job-spec.ts';
import { addProfiles } from '../../lib/profile.ts';
import type { AttemptOutcome, AttemptReport, MapReport, ReduceReport } from '../../lib/reports.ts';
import { noCounts } from '../../lib/segment-digest.ts';
import { cancelAttempt, endAttempt, placeOf, releaseTask } from './attempts.ts';
import { stopOverBudget } from './bad-records.ts';
import { commitWhenDone } from './complete.ts';
import type { EventOf } from './events.ts';
import { attemptFailed } from './failures.ts';
import { consumedOther } from './heard.ts';
import { type AttemptEnd, sumsOf } from './job-events.ts';
import { compareLate, consumedUnknown } from './non-determinism.ts';
import { mapResult, outputAccepted } from './outputs.ts';
import { dropPart, dropUnwanted, isPlaced, partAccepted, persistOpened, placesOf } from './parts.ts';
import { cutWhenSampled } from './plan.ts';
import { reportBack } from './recovery.ts';
import { resumeReported, takeOutputAgain } from './resume.ts';
import { rememberSpeed, rememberUnfinished } from './speed.ts';
import type { Accepted, Attempt } from './state.ts';
import { tell, tellTrouble } from './story.ts';
import { isAcceptedOf, markDone, rememberDuration, replaceAccepted } from './tasks.ts';
import { answer, say, type Turn } from './turn.ts';

export function attemptReported(turn: Turn, { workerId, report }: EventOf<'attempt-reported'>): void {
  const worker = turn.state.workers.get(workerId);
  if (!worker) {
    turn.effects.push({ type: 'send-rejoin', workerId });
    refuseUnknown(turn, report);
    return answer(turn, { id: workerId }, report.attempt, false);
  }
  reportBack(turn.state, worker, report.attempt);
  const known = worker.attempts.get(attemptKey(report.attempt));
  if (!known && takeOutputAgain(turn, worker, report)) return;
  const attempt = known ?? resumeReported(turn, worker, report);
  if (!attempt) {
    refuseUnknown(turn, report);
    return answer(turn, worker, report.attempt, isAcceptedOf(turn.state, worker, report.attempt));
  }
  if (attempt.status === 'cancelling') return lateReport(turn, attempt, report);
  const problem = problemOf(attempt, report.outcome);
  if (problem !== undefined) {
    dropReported(turn, attempt, report.outcome);
    return attemptFailed(turn, attempt, { kind: 'internal', message: `its report is wrong: ${problem}` });
  }
  takeReport(turn, attempt, report);
}

function lateReport(turn: Turn, attempt: Attempt, { outcome, attempt: id }: AttemptReport): void {
  const { job, task, worker } = attempt;
  dropReported(turn, attempt, outcome);
  endAttempt(turn, attempt, lateEnd(outcome));
  tell(turn.state, job, task, `${outcome.kind} ignored`, 'it had been cancelled', placeOf(attempt));
  answer(turn, worker, id, false);
  if (outcome.kind === 'map-done') compareLate(turn, attempt, outcome.report);
}

function lateEnd(outcome: AttemptOutcome): AttemptEnd {
  if (outcome.kind === 'failed') return { outcome: 'cancelled' };
  return { outcome: 'superseded', sums: sumsOf(outcome) };
}

/** What it said to have opened is dropped with the attempt. */
function dropReported(turn: Turn, { id, job, openParts }: Attempt, outcome: AttemptOutcome): void {
  for (const part of partsOf(outcome)) {
    const isKnown = openParts.some(({ token }) => token === part.token);
    if (isKnown || !isPlaced(job, id, part)) continue;
    persistOpened(turn, { attempt: id, part });
    dropPart(turn, job, { attempt: id, part });
  }
}

/** The attempt is not known any more: nobody else drops what it staged. What was answered before is published or dropped already. */
function refuseUnknown(turn: Turn, { attempt, outcome, again }: AttemptReport): void {
  if (again) return;
  for (const part of partsOf(outcome)) dropUnwanted(turn, { attempt, part });
}

/** The output, and what was skipped. */
function partsOf(outcome: AttemptOutcome): StagedPart[] {
  switch (outcome.kind) {
    case 'map-done':
      return [outcome.report.part, outcome.report.bad?.part].filter((part) => part !== undefined);
    case 'reduce-done':
      return [outcome.report.part];
    default:
      return [];
  }
}

/** What convert.ts cannot check, because only the coordinator knows the job; undefined when all is well. */
function problemOf(attempt: Attempt, outcome: AttemptOutcome): string | undefined {
  if (outcome.kind === 'failed') return undefined;
  const { kind } = attempt.task;
  if (outcome.kind !== `${kind}-done`) return `${outcome.kind} for a ${kind} task`;
  const { output, skipped } = placesOf(attempt.job, attempt.id);
  const staged = outcome.kind === 'sample-done' ? undefined : outcome.report.part;
  if (staged && staged.uri !== output) return `its part is at ${staged.uri}`;
  if (outcome.kind === 'reduce-done') return lossIn(outcome.report);
  if (outcome.kind !== 'map-done') return undefined;
  const { reducers, durability } = attempt.job.spec;
  const { segments, part, bad, copied } = outcome.report;
  if (bad && bad.part.uri !== skipped) return `its bad records are at ${bad.part.uri}`;
  if (segments.length !== reducers) return `${segments.length} segments instead of ${reducers}`;
  if (reducers > 0 && durability === 'sync' && !copied) return 'its output was not copied to the store';
  if (reducers === 0 && !part) return 'a map-only task without a staged part';
  return undefined;
}

/** Its own worker has compared the same. */
function lossIn({ consumed, reduced }: ReduceReport): string | undefined {
  for (const what of ['records', 'bytes'] as const) {
    if (consumed[what] !== reduced[what])
      return `it fetched ${consumed[what]} ${what} and reduced ${reduced[what]}`;
  }
  return undefined;
}

function takeReport(turn: Turn, attempt: Attempt, report: AttemptReport): void {
  const { id, worker } = attempt;
  const { outcome, counters } = report;
  attempt.job.profile = addProfiles(attempt.job.profile, report.profile);
  if (outcome.kind === 'failed') return attemptFailed(turn, attempt, outcome.failure);
  const base = { id, workerId: worker.id, counters, keys: [] };
  const sums = sumsOf(outcome);
  switch (outcome.kind) {
    case 'sample-done': {
      const keys = outcome.keys.slice(0, turn.state.config.sampleKeysMax);
      const nothing = { inputRecords: 0, inputBytes: 0, counts: noCounts, part: undefined };
      accept(turn, attempt, { ...base, ...nothing, counters: {}, keys }, sums);
      return cutWhenSampled(turn, attempt.job);
    }
    case 'map-done': {
      const before = attempt.task.accepted;
      accept(turn, attempt, mapResult({ attempt: id, counters }, worker.id, outcome.report), sums);
      return mapAccepted(turn, attempt, outcome.report, before);
    }
    case 'reduce-done': {
      const { consumed, reduced, part } = outcome.report;
      if (consumedOther(attempt, consumed, turn.state.config.epoch)) return refuse(turn, attempt, outcome);
      const { records: inputRecords, bytes: inputBytes } = consumed;
      const result = { inputRecords, inputBytes, counts: consumed, reduced, part };
      accept(turn, attempt, { ...base, ...result }, sums);
      return reduceAccepted(turn, attempt, outcome.report);
    }
  }
}

/** A reduce that began under an earlier coordinator consumed what is not accepted any more. */
function refuse(turn: Turn, attempt: Attempt, outcome: AttemptOutcome): void {
  const { job, task, worker, id } = attempt;
  const cause = 'it consumed something else than the accepted maps made';
  dropReported(turn, attempt, outcome);
  endAttempt(turn, attempt, lateEnd(outcome));
  answer(turn, worker, id, false);
  tellTrouble(turn.state, job, task, 'refused', cause, placeOf(attempt));
  say(turn, 'warn', { attempt }, `${formatAttempt(id)} is refused: ${cause}; it runs again`);
  releaseTask(turn, job, task);
  consumedUnknown(turn, job, [task.index]);
}

function accept(turn: Turn, attempt: Attempt, accepted: Accepted, sums: AttemptSums): void {
  const { job, task, worker } = attempt;
  const again = task.accepted ? 'again' : '';
  const { part, bad } = accepted;
  // What it skipped is in no other record, and that it was opened may have been lost on the way.
  const isHeard = attempt.openParts.some(({ token }) => token === bad?.part.token);
  if (bad && !isHeard) persistOpened(turn, { attempt: attempt.id, part: bad.part });
  attempt.openParts = attempt.openParts.filter(
    ({ token }) => token !== part?.token && token !== bad?.part.token,
  );
  endAttempt(turn, attempt, { outcome: 'done', sums });
  markDone(job, task);
  // What the earlier output of a map skipped is staged beside it.
  const before = task.accepted;
  if (before?.bad) dropPart(turn, job, { attempt: before.id, part: before.bad.part });
  replaceAccepted(job, task, accepted);
  measure(turn, attempt, accepted.inputBytes);
  answer(turn, worker, attempt.id, true);
  for (const other of task.attempts) {
    measureUnfinished(turn, other, accepted.inputBytes);
    cancelAttempt(turn, other, `${formatAttempt(attempt.id)} finished first`);
  }
  tell(turn.state, job, task, 'accepted', again, placeOf(attempt));
}

/** When a resumed attempt began is not known. */
function measure(turn: Turn, attempt: Attempt, inputBytes: number): void {
  const { job, task, worker, assignedAtMs, id } = attempt;
  if (id.epoch !== turn.state.config.epoch) return;
  const table = job[task.kind];
  if (task.kind === 'map') rememberSpeed(worker, table, turn.now - assignedAtMs, inputBytes);
  const fromMs = task.kind === 'reduce' ? Math.max(assignedAtMs, job.mapsDoneAtMs ?? 0) : assignedAtMs;
  rememberDuration(table, turn.now - fromMs, inputBytes);
}

function measureUnfinished(turn: Turn, attempt: Attempt, inputBytes: number): void {
  const { job, task, worker, assignedAtMs, id, status } = attempt;
  if (task.kind !== 'map' || status !== 'running' || id.epoch !== turn.state.config.epoch) return;
  rememberUnfinished(worker, job.map, turn.now - assignedAtMs, inputBytes);
}

function mapAccepted(turn: Turn, attempt: Attempt, report: MapReport, before: Accepted | undefined): void {
  const { job, task, worker } = attempt;
  if (job.spec.reducers === 0) {
    persistPart(turn, attempt, report.part);
    if (!stopOverBudget(turn, job)) commitWhenDone(turn, job);
    return;
  }
  outputAccepted(turn, { job, map: task, worker, report, before });
  stopOverBudget(turn, job);
}

function reduceAccepted(turn: Turn, attempt: Attempt, report: ReduceReport): void {
  persistPart(turn, attempt, report.part);
  commitWhenDone(turn, attempt.job);
}

function persistPart(turn: Turn, attempt: Attempt, part: StagedPart | undefined): void {
  assert(part, 'an accepted part is staged');
  turn.persist.push(partAccepted(attempt.task.accepted!, part, turn.now));
}
