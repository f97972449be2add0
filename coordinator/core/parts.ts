/**
 * Parts that attempts have begun to stage. Each is known from its first byte on, durably, so that whatever becomes of its attempt, its
 * worker or this coordinator, it is published or dropped by its token.
 */
import { badPartName, partName } from '../../lib/formats.ts';
import { type AttemptId, attemptKey, formatAttempt, sameAttempt, type TaskRef } from '../../lib/ids.ts';
import type { OpenPart, StagedPart } from '../../lib/job-spec.ts';
import type { PartOpened } from '../../lib/reports.ts';
import type { PersistRecord } from './effects.ts';
import type { EventOf } from './events.ts';
import type { Accepted, Attempt, Job } from './state.ts';
import { say, type Turn } from './turn.ts';
import { liveWorker } from './workers.ts';

/** Said again after a reconnect. */
export function partOpened(turn: Turn, { workerId, opened }: EventOf<'part-opened'>): void {
  const { attempt: id, part } = opened;
  const attempt = liveWorker(turn, workerId)?.attempts.get(attemptKey(id));
  if (!attempt) return dropUnwanted(turn, opened);
  const { openParts } = attempt;
  if (openParts.some(({ token }) => token === part.token)) return;
  if (!isPlaced(attempt.job, id, part)) {
    return say(turn, 'warn', { attempt }, `${formatAttempt(id)} opened a part at ${part.uri}: ignored`);
  }
  persistOpened(turn, opened);
  // An attempt has one part at one place: an earlier one was given up.
  const isRunning = attempt.status === 'running';
  const before = openParts.find(({ uri }) => uri === part.uri);
  if (before && isRunning) dropPart(turn, attempt.job, { attempt: id, part: before });
  attempt.openParts = [...openParts.filter((other) => other !== before), part];
  if (!isRunning) dropPart(turn, attempt.job, opened);
}

/**
 * Staged by an attempt that is over, was given up with its worker, or never was. Nobody else would drop it: its worker does not know whether
 * it was accepted. Of a job that has ended it may have been published: dropping that changes nothing (lib/store/store.ts). What is elsewhere
 * than the output of this task, or of a job that is forgotten, is left alone.
 */
export function dropUnwanted(turn: Turn, opened: PartOpened): void {
  const { attempt: id, part } = opened;
  const job = turn.state.jobs.get(id.jobId);
  if (!job || !isPlaced(job, id, part) || isKept(job, id, part)) return;
  // Of an attempt that runs on another worker.
  if (job[id.kind].tasks[id.index]?.attempts.some((attempt) => sameAttempt(attempt.id, id))) return;
  const isSame = ({ token }: OpenPart) => token === part.token;
  if (discardedParts(job).some(isSame)) return;
  persistOpened(turn, opened);
  // An attempt of an earlier coordinator may still go on, and takes it back then.
  if (job.restored && id.epoch < turn.state.config.epoch && job.phase.name === 'working') {
    job.restored.openParts.set(openPartKey(opened), opened);
  } else {
    dropPart(turn, job, opened);
  }
}

/** Durably: whoever leads next drops it, unless it is accepted. */
export function persistOpened(turn: Turn, { attempt, part: { uri, token } }: PartOpened): void {
  turn.persist.push({ type: 'part-opened', at: turn.now, attempt, part: { uri, token } });
}

/** It is of the accepted result, or published. */
function isKept(job: Job, id: AttemptId, { token }: OpenPart): boolean {
  const accepted = job[id.kind].tasks[id.index]?.accepted;
  const kept = [accepted?.part, accepted?.bad?.part];
  const { phase } = job;
  if (phase.name === 'committing') {
    kept.push(...phase.commit.parts, ...(phase.commit.success.bad ?? []).map(({ part }) => part));
  }
  return kept.some((part) => part?.token === token);
}

/** For what an attempt has open at one place. */
export function openPartKey({ attempt, part }: PartOpened): string {
  return `${attemptKey(attempt)} ${part.uri}`;
}

/** Where this task puts its part of the output, and what it skips; undefined where it has none. */
export interface Places {
  readonly output: string | undefined;
  readonly skipped: string | undefined;
}

/** Nothing elsewhere is published or dropped, whatever a worker says. */
export function placesOf({ spec }: Pick<Job, 'spec'>, { kind, index }: TaskRef): Places {
  const { outputUri, partOffset, maxBadRecords, reducers } = spec;
  const number = partOffset + index;
  const hasOutput = kind === (reducers === 0 ? 'map' : 'reduce');
  return {
    output: hasOutput ? `${outputUri}${partName(kind, number)}` : undefined,
    skipped: kind === 'map' && maxBadRecords ? `${outputUri}${badPartName(number)}` : undefined,
  };
}

export function isPlaced(job: Pick<Job, 'spec'>, task: TaskRef, { uri }: OpenPart): boolean {
  const { output, skipped } = placesOf(job, task);
  return uri === output || uri === skipped;
}

/** The attempt will not be accepted: what it stages is dropped with the rest at the end of the job. */
export function dropOpenParts(turn: Turn, { id, job, openParts }: Attempt): void {
  for (const part of openParts) dropPart(turn, job, { attempt: id, part });
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

/** It was to be dropped, because its attempt was given up, and now it is accepted all the same. */
export function keepPart({ discards }: Job, { token }: OpenPart): void {
  const at = discards.findIndex(({ part }) => part.token === token);
  if (at >= 0) discards.splice(at, 1);
}

/** Once the job has sent its discards for the last time nothing would take them up again. */
export function dropPart(turn: Turn, job: Job, opened: PartOpened): void {
  const { name } = job.phase;
  if (name === 'committing' || name === 'discarding' || name === 'ended') {
    turn.effects.push({ type: 'discard-part', spec: job.spec, part: opened.part });
  } else {
    job.discards.push(opened);
  }
}
