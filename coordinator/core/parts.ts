/**
 * Parts that attempts have begun to stage. Each is known from its first byte on, durably, so that whatever becomes of its attempt, its
 * worker or this coordinator, it is published or dropped by its token.
 */
import { partName } from '../../lib/formats.ts';
import { attemptKey, formatAttempt } from '../../lib/ids.ts';
import type { OpenPart, StagedPart } from '../../lib/job-spec.ts';
import type { PartOpened } from '../../lib/reports.ts';
import type { PersistRecord } from './effects.ts';
import type { EventOf } from './events.ts';
import type { Accepted, Attempt, Job } from './state.ts';
import { say, type Turn } from './turn.ts';
import { liveWorker } from './workers.ts';

/** Said again after a reconnect. Of an attempt that is over or cancelled, its part is not wanted any more. */
export function partOpened(turn: Turn, { workerId, opened }: EventOf<'part-opened'>): void {
  const { attempt: id, part } = opened;
  const attempt = liveWorker(turn, workerId)?.attempts.get(attemptKey(id));
  if (!attempt || attempt.openPart?.token === part.token) return;
  if (!isPlaced(attempt, part)) {
    return say(turn, 'warn', { attempt }, `${formatAttempt(id)} opened a part at ${part.uri}: ignored`);
  }
  turn.persist.push({ type: 'part-opened', at: turn.now, attempt: id, part });
  // An attempt has one part: an earlier one was given up.
  if (attempt.openPart) dropPart(turn, attempt.job, { attempt: id, part: attempt.openPart });
  attempt.openPart = part;
  if (attempt.status === 'cancelling') dropOpenPart(turn, attempt);
}

/** At the one place that the output of this task has. Nothing elsewhere is published or dropped, whatever a worker says. */
export function isPlaced({ job, task }: Attempt, { uri }: OpenPart): boolean {
  const { outputUri, partOffset } = job.spec;
  return task.kind !== 'sample' && uri === `${outputUri}${partName(task.kind, partOffset + task.index)}`;
}

/** The attempt will not be accepted: what it stages is dropped with the rest at the end of the job. */
export function dropOpenPart(turn: Turn, { id, job, openPart }: Attempt): void {
  if (openPart) dropPart(turn, job, { attempt: id, part: openPart });
}

/** Everything staged of the job that must not be published, whoever began it. */
export function discardedParts({ discards, restored }: Job): OpenPart[] {
  return [...discards, ...(restored?.openParts.values() ?? [])].map(({ part }) => part);
}

/** The record of an accepted result, with its part. */
export function partAccepted(accepted: Accepted, part: StagedPart, at: number): PersistRecord {
  const {
    id: attempt,
    workerId,
    inputRecords,
    inputBytes,
    counts: consumed,
    reduced,
    counters,
    bad,
  } = accepted;
  const facts = { inputRecords, inputBytes, consumed, ...(reduced && { reduced }), counters };
  return { type: 'part-accepted', at, attempt, part, workerId, ...facts, ...(bad && { bad }) };
}

/** Once the job has sent its discards for the last time nothing would take them up again. */
export function dropPart(turn: Turn, job: Job, opened: PartOpened): void {
  const { name } = job.phase;
  if (name === 'committing' || name === 'discarding' || name === 'ended') {
    turn.effects.push({ type: 'discard-part', jobId: job.spec.jobId, part: opened.part });
  } else {
    job.discards.push(opened);
  }
}
