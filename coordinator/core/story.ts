/**
 * Why things are as they are: a bounded log of decisions per job, with their causes. Routine lines fall out of the job's ring as
 * new ones come; what went wrong with a task is kept with the task as well. Lines are data and become text only when asked for.
 */
import type { JobId, TaskRef } from '../../lib/ids.ts';
import { formatTask } from '../../lib/ids.ts';
import type { CoreState, Job, Task } from './state.ts';
import { taskTrouble } from './tasks.ts';

export interface StoryLine {
  readonly atMs: number;
  /** Undefined for what concerns the whole job. */
  readonly task: TaskRef | undefined;
  readonly attempt: number | undefined;
  readonly worker: string | undefined;
  /** What was decided: `assigned`, `accepted`, `failed`, `lost`, `rerun`, … */
  readonly what: string;
  /** Why; empty when it needs no words. */
  readonly cause: string;
}

interface Where {
  readonly attempt?: number;
  readonly worker?: string;
}

/** A routine line about a task: kept in the job's ring only. */
export function tell(
  state: CoreState,
  job: Job,
  task: Task,
  what: string,
  cause: string,
  where?: Where,
): void {
  remember(job.story, lineOf(state, task, what, cause, where), state.config.storyLinesPerJobMax);
}

/** A line that must outlive the routine ones: kept with the task too. */
export function tellTrouble(
  state: CoreState,
  job: Job,
  task: Task,
  what: string,
  cause: string,
  where?: Where,
): void {
  const line = lineOf(state, task, what, cause, where);
  remember(job.story, line, state.config.storyLinesPerJobMax);
  remember(taskTrouble(task).story, line, state.config.storyLinesPerTaskMax);
}

export function tellJob(state: CoreState, job: Job, what: string, cause = ''): void {
  remember(job.story, lineOf(state, undefined, what, cause), state.config.storyLinesPerJobMax);
}

function lineOf(
  state: CoreState,
  task: TaskRef | undefined,
  what: string,
  cause: string,
  where?: Where,
): StoryLine {
  return {
    atMs: state.now,
    // A task is its own TaskRef: no object per line, and asked for by identity.
    task,
    attempt: where?.attempt,
    worker: where?.worker,
    what,
    cause,
  };
}

/** Drops the oldest half at once when full, so that a line costs O(1) on average. */
function remember(lines: StoryLine[], line: StoryLine, linesMax: number): void {
  if (lines.length >= linesMax) lines.splice(0, Math.ceil(linesMax / 2));
  lines.push(line);
}

/** What happened to a job, or to one task of it, oldest first, one sentence each; empty for an unknown job. */
export function story(state: CoreState, jobId: JobId, task?: TaskRef): string[] {
  const job = state.jobs.get(jobId);
  if (!job) return [];
  if (!task) return job.story.map(formatLine);
  const recent = job.story.filter((line) => line.task?.kind === task.kind && line.task.index === task.index);
  const own = job[task.kind].tasks[task.index]?.trouble?.story ?? [];
  // What is kept with the task alone is older than all that the job's ring still has.
  const older = own.filter((line) => !recent.includes(line));
  return [...older, ...recent].map(formatLine);
}

function formatLine(line: StoryLine): string {
  const task = line.task ? ` ${formatTask(line.task)}` : '';
  const attempt = line.attempt === undefined ? '' : `.${line.attempt}`;
  const worker = line.worker === undefined ? '' : ` on ${line.worker}`;
  return `${line.atMs}${task}${attempt} ${line.what}${worker}${line.cause && `: ${line.cause}`}`;
}
