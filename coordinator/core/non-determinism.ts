/**
 * Attempts of one map made different output: its function is not deterministic. What differs is named and kept with the job, and the
 * job's policy decides what follows: whoever used the other output starts again (reruns.ts, heard.ts), or the job fails.
 */
import { describeDifference } from '../../lib/difference.ts';
import { formatAttempt, formatTask } from '../../lib/ids.ts';
import type { DifferenceView, MadeBy } from '../../lib/job-view.ts';
import { limits } from '../../lib/limits.ts';
import type { MapReport } from '../../lib/reports.ts';
import { stopJob } from './ending.ts';
import { emitDiffered } from './job-events.ts';
import type { Accepted, Attempt, Job, Task } from './state.ts';
import { tellJob, tellTrouble } from './story.ts';
import { say, type Turn } from './turn.ts';

type Made = Pick<Accepted, 'id' | 'workerId'>;

export interface Difference {
  /** Undefined when it is not known which. */
  readonly map: Task | undefined;
  /** Ascending. */
  readonly partitions: readonly number[];
  /** Those that are known, the accepted one first. */
  readonly attempts: readonly Made[];
}

/** Keeps what differs. True when the job is to fail for it, and does. */
export function stopForDifference(turn: Turn, job: Job, difference: Difference): boolean {
  const view = differenceView(difference);
  const what = describeDifference(view);
  keepDifference(turn, job, view);
  if (difference.map) tellTrouble(turn.state, job, difference.map, 'differs', what);
  else tellJob(turn.state, job, 'maps differ', what);
  turn.changed.add(job.spec.jobId);
  if (job.spec.onNondeterminism !== 'fail') return false;
  const message = `${what} (--on-nondeterminism fail); nothing is published`;
  const task = difference.map ? formatTask(difference.map) : null;
  stopJob(turn, job, {
    state: 'FAILED',
    cause: { code: 'non-deterministic', message, task, failure: null },
  });
  return true;
}

/**
 * These reduces consumed, under an earlier coordinator, something else than what the accepted maps made. True when the job fails for it.
 * Partitions for which a rerun is known to differ are named already.
 */
export function consumedUnknown(turn: Turn, job: Job, reduces: readonly number[]): boolean {
  const partitions = reduces.filter((index) => job.restored?.made[index]);
  if (partitions.length === 0) return false;
  return stopForDifference(turn, job, { map: undefined, partitions, attempts: [] });
}

/** A backup that lost has made what was accepted; or something else, which its job must hear of. */
export function compareLate(turn: Turn, attempt: Attempt, { segments }: MapReport): void {
  const { job, task, id, worker } = attempt;
  const { accepted } = task;
  if (job.phase.name !== 'working' || !accepted || !job.digests?.has(task.index)) return;
  if (segments.length !== job.spec.reducers) return;
  const partitions = job.digests.compare(task.index, segments);
  if (partitions.length === 0) return;
  const difference = { map: task, partitions, attempts: [accepted, { id, workerId: worker.id }] };
  if (stopForDifference(turn, job, difference)) return;
  const text = `${describeDifference(differenceView(difference))}; ${formatAttempt(accepted.id)} stands`;
  say(turn, 'warn', { job }, text);
}

export function differenceView({ map, partitions, attempts }: Difference): DifferenceView {
  return {
    task: map ? formatTask(map) : null,
    partitions: partitions.slice(0, limits.differencePartitionsMax),
    attempts: attempts.map(({ id, workerId }) => ({
      attempt: id.attempt,
      epoch: id.epoch,
      worker: workerId,
    })),
  };
}

function keepDifference(turn: Turn, job: Job, difference: DifferenceView): void {
  emitDiffered(turn, job, difference);
  const kept = addDifference(job, difference);
  if (kept)
    turn.persist.push({ type: 'map-differed', at: turn.now, jobId: job.spec.jobId, difference: kept });
}

/** One for each set of attempts. What is kept of it now; undefined when that is nothing more than before. */
export function addDifference({ differences }: Job, difference: DifferenceView): DifferenceView | undefined {
  const at = differences.findIndex((known) => isOfSame(known, difference));
  if (at < 0) {
    if (differences.length >= limits.differencesShownMax) return undefined;
    differences.push(difference);
    return difference;
  }
  const before = differences[at]!.partitions;
  const partitions = [...new Set([...before, ...difference.partitions])];
  if (partitions.length === before.length || before.length >= limits.differencePartitionsMax)
    return undefined;
  const ascending = partitions.sort((a, b) => a - b).slice(0, limits.differencePartitionsMax);
  const merged = { ...difference, partitions: ascending };
  differences[at] = merged;
  return merged;
}

function isOfSame(a: DifferenceView, b: DifferenceView): boolean {
  const names = (attempts: readonly MadeBy[]) =>
    attempts.map(({ attempt, epoch, worker }) => `${attempt} ${epoch} ${worker}`).join();
  return a.task === b.task && names(a.attempts) === names(b.attempts);
}
