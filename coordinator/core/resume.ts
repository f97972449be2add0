/**
 * What workers bring from the time of an earlier coordinator: attempts that still run or have just ended go on as if they had been
 * started here, and map outputs that were accepted before are accepted again. Nothing that survived is made twice.
 */
import { type AttemptId, attemptKey, type WorkerId } from '../../lib/ids.ts';
import type { OpenPart } from '../../lib/job-spec.ts';
import type { AttemptReport, MapReport } from '../../lib/reports.ts';
import { cancelAttempt, placeOf, releaseTask, resumeAttempt, runningAttempts } from './attempts.ts';
import { emitAdopted } from './job-events.ts';
import { rerunUnlocated } from './locations.ts';
import { mapResult, outputAccepted } from './outputs.ts';
import { dropPart, keepPart, openPartKey, persistOpened, placesOf } from './parts.ts';
import type { Attempt, CoreState, Job, JobPhase, Task, Worker } from './state.ts';
import { tell } from './story.ts';
import { markDone, markRunning, replaceAccepted } from './tasks.ts';
import { answer, type Turn } from './turn.ts';

interface Resumable {
  readonly job: Job;
  readonly task: Task;
}

/** What this attempt of an earlier coordinator may go on with; undefined when it is not wanted any more. */
export function findResumable({ jobs, config }: CoreState, id: AttemptId): Resumable | undefined {
  const job = jobs.get(id.jobId);
  if (!job?.restored || id.epoch >= config.epoch || !mayRun(job.phase, id)) return undefined;
  if (job.restored.over.has(attemptKey(id))) return undefined;
  const task = job[id.kind].tasks[id.index];
  if (!task || task.status === 'done') return undefined;
  // Another one was started here, or has the same name but for its epoch: two of one name would be told apart by nobody.
  const isTaken = task.attempts.some(
    (other) => other.id.epoch === config.epoch || other.id.attempt === id.attempt,
  );
  return isTaken || runningAttempts(task).length > 1 ? undefined : { job, task };
}

/** In a job that stops it is known until it has ended, so that nothing is staged after the discard. */
function mayRun(phase: JobPhase, { kind }: AttemptId): boolean {
  if (phase.name === 'stopping') return true;
  return phase.name === (kind === 'sample' ? 'sampling' : 'working');
}

/** Undefined when it may not go on. */
export function resumeRunning(turn: Turn, worker: Worker, id: AttemptId): Attempt | undefined {
  const found = findResumable(turn.state, id);
  if (!found) return undefined;
  const { job, task } = found;
  const attempt = resumeAttempt(turn, job, task, worker, id);
  attempt.openParts = takeOpenParts(job, id);
  emitAdopted(turn, attempt);
  tell(turn.state, job, task, 'goes on', 'the coordinator was restarted', placeOf(attempt));
  if (task.kind === 'reduce') rerunUnlocated(turn, job, task);
  turn.changed.add(id.jobId);
  if (job.phase.name === 'stopping') {
    cancelAttempt(turn, attempt, `the job is ${job.phase.outcome.state}`);
    releaseTask(turn, job, task);
  }
  return attempt;
}

function takeOpenParts(job: Job, id: AttemptId): OpenPart[] {
  const { openParts } = job.restored!;
  const { output, skipped } = placesOf(job, id);
  return [output, skipped].flatMap((uri) => {
    if (uri === undefined) return [];
    const key = openPartKey({ attempt: id, part: { uri, token: '' } });
    const part = openParts.get(key)?.part;
    openParts.delete(key);
    return part ?? [];
  });
}

/** A report of an attempt that ended while nobody led: the attempt goes on, and ends with it. */
export function resumeReported(turn: Turn, worker: Worker, report: AttemptReport): Attempt | undefined {
  if (report.again || report.outcome.kind === 'failed') return undefined;
  return resumeRunning(turn, worker, report.attempt);
}

/** A map output that an earlier coordinator had accepted is offered. True when it is accepted again, and answered. */
export function takeOutputAgain(turn: Turn, worker: Worker, report: AttemptReport): boolean {
  const { attempt: id, outcome } = report;
  const { jobs, config } = turn.state;
  const job = jobs.get(id.jobId);
  if (!report.again || outcome.kind !== 'map-done' || id.kind !== 'map') return false;
  if (!job?.restored || id.epoch >= config.epoch || job.phase.name !== 'working') return false;
  return takeOutput(turn, job, { worker, workerId: worker.id, report, output: outcome.report });
}

/** What an earlier coordinator may have accepted: an output that a worker has, or a copy in the store. */
export interface KeptOutput {
  /** Who serves it; undefined for a copy. */
  readonly worker: Worker | undefined;
  /** Who made it. */
  readonly workerId: WorkerId;
  readonly report: AttemptReport;
  readonly output: MapReport;
}

/** True when it is accepted: its map is not done, and nothing was wrong with its outputs yet. */
export function takeOutput(turn: Turn, job: Job, kept: KeptOutput): boolean {
  const { worker, workerId, report, output } = kept;
  const { attempt: id } = report;
  const map = job.map.tasks[id.index];
  const { reducers } = job.spec;
  if (!map || !isWanted(map) || reducers === 0 || output.segments.length !== reducers) return false;
  const { bad } = output;
  if (bad && bad.part.uri !== placesOf(job, id).skipped) return false;
  if (map.status === 'idle' && map.accepted) job.map.reruns--;
  const before = map.accepted;
  if (before?.bad && before.bad.part.token !== bad?.part.token) {
    dropPart(turn, job, { attempt: before.id, part: before.bad.part });
  }
  markRunning(job, map);
  markDone(job, map);
  replaceAccepted(job, map, mapResult(report, workerId, output));
  const isHeard = takeOpenParts(job, id).some(({ token }) => token === bad?.part.token);
  if (bad && !isHeard) persistOpened(turn, { attempt: id, part: bad.part });
  if (bad) keepPart(job, bad.part);
  map.attemptsStarted = Math.max(map.attemptsStarted, id.attempt + 1);
  worker?.jobs.add(id.jobId);
  if (worker) answer(turn, worker, id, true);
  for (const other of map.attempts) cancelAttempt(turn, other, 'an earlier output of it is back');
  const cause = `the coordinator was restarted${worker ? '' : ', and the store has a copy'}`;
  tell(turn.state, job, map, 'accepted again', cause, { attempt: id.attempt, worker: workerId });
  outputAccepted(turn, { job, map, worker, report: output, before });
  turn.changed.add(id.jobId);
  return true;
}

/** What was condemned under this coordinator may be this very output. */
function isWanted({ status, trouble }: Task): boolean {
  return status !== 'done' && (trouble?.condemned ?? 0) === 0;
}
