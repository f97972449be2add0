/** Why a job is as it is, from its view and from who works. */
import { type AttemptFailure, describeFailure } from '../../lib/attempt-failure.ts';
import type { WorkerView } from '../../lib/cluster-view.ts';
import { describeDifference, differenceAdvice } from '../../lib/difference.ts';
import {
  type DamageView,
  isTerminal,
  type JobCause,
  type JobState,
  type JobView,
} from '../../lib/job-view.ts';
import { renderFailure } from './error.ts';
import { plural } from './progress.ts';
import { type Paint, plain } from './style.ts';

export interface Explanation {
  readonly jobId: string;
  readonly state: JobState;
  /** One sentence each, the most important first. */
  readonly findings: readonly string[];
  readonly cause: JobCause | null;
  /** The failed attempts by what failed, most frequent first. */
  readonly failures: readonly FailureGroup[];
}

export interface FailureGroup {
  readonly what: string;
  readonly kind: AttemptFailure['kind'];
  readonly attempts: number;
  readonly tasks: readonly string[];
  readonly workers: readonly string[];
}

/** Failures that a task brings along wherever it runs. */
const comesAgain: ReadonlySet<AttemptFailure['kind']> = new Set([
  'user-error',
  'malformed-record',
  'out-of-memory',
  'timeout',
]);

export type Workers = readonly Pick<WorkerView, 'state' | 'slots' | 'slotsUsed'>[];

/** `workers` only matter for a job that has not ended. */
export function explain(view: JobView, workers: Workers): Explanation {
  return {
    jobId: view.jobId,
    state: view.state,
    findings: findingsOf(view, workers),
    cause: view.cause,
    failures: groupFailures(view),
  };
}

export function renderExplanation(view: JobView, workers: Workers, paint: Paint = plain): string[] {
  const { findings, failures } = explain(view, workers);
  const lines =
    view.state === 'FAILED' || view.state === 'CANCELLED'
      ? renderFailure(view, { excerpt: undefined, showCommands: false }, paint)
      : [`${paint('strong', view.name)}  ${view.jobId}`];
  const said = lines.join('\n');
  lines.push(...findings.filter((finding) => !said.includes(finding)).map((finding) => `  ${finding}`));
  for (const { what, attempts, tasks, workers } of failures) {
    lines.push(
      `  ${plural(attempts, 'failed attempt')} of ${shorten(tasks)} on ${shorten(workers)}: ${what}`,
    );
  }
  const [worst] = failures;
  if (worst) lines.push(...nextLines(view.jobId, worst));
  return lines;
}

function nextLines(jobId: string, { kind, tasks }: FailureGroup): string[] {
  const task = tasks[0];
  const lines = [`  next     millrace logs ${jobId} --task ${task}`];
  if (comesAgain.has(kind))
    lines.push(
      `           millrace replay ${jobId} ${task} --store URL (the coordinator's) runs it again, here`,
    );
  return lines;
}

function findingsOf(view: JobView, workers: Workers): string[] {
  const findings: string[] = [];
  const { map, reduce } = view;
  if (view.state === 'COMPLETED') findings.push('it completed');
  if (view.state === 'SUBMITTED') findings.push('its input is being listed');
  if (view.state === 'COMMITTING') findings.push('all tasks are done; the output is being made visible');
  const running = map.running + reduce.running;
  const waiting = map.waiting + reduce.waiting;
  if (!isTerminal(view.state) && waiting > 0 && running === 0) {
    findings.push(`${plural(waiting, 'task')} waiting and none running: ${whyNoneRuns(workers)}`);
  } else if (!isTerminal(view.state) && running > 0) {
    findings.push(`${plural(running, 'task')} running, ${waiting} waiting`);
  }
  const reruns = map.reruns + reduce.reruns;
  if (reruns > 0)
    findings.push(
      `${plural(reruns, 'task')} ran again because ${reruns === 1 ? 'its' : 'their'} output was lost or damaged`,
    );
  if (view.durability !== 'local' && reduce.total > 0)
    findings.push(
      `${view.mapsCopied} of ${plural(map.total, 'map output')} copied to the store (--durability ${view.durability})`,
    );
  const backups = map.backups + reduce.backups;
  if (backups > 0) findings.push(`${plural(backups, 'backup attempt')} started because the first was slow`);
  if (view.badRecords > 0)
    findings.push(`${plural(view.badRecords, 'bad record')} skipped (--max-bad-records)`);
  findings.push(...view.nonDeterministic.map(describeDifference));
  if (view.nonDeterministic.length > 0) findings.push(differenceAdvice);
  const failed = map.failedAttempts + reduce.failedAttempts;
  if (failed > view.failedAttempts.length) {
    findings.push(`${plural(failed, 'attempt')} failed; the last ${view.failedAttempts.length} are kept`);
  }
  findings.push(...damagesOf(view));
  return findings;
}

/** One line for all that was damaged on one worker, on the way from it, or in the store. */
function damagesOf({ damagedSegments }: JobView): string[] {
  const places = new Map<string, DamageView[]>();
  for (const damage of damagedSegments) {
    const place = placeOf(damage);
    places.set(place, [...(places.get(place) ?? []), damage]);
  }
  return [...places].map(([place, damages]) => {
    const outputs = shorten([...new Set(damages.map(({ task, attempt }) => `${task}.${attempt}`))]);
    const finders = shorten([...new Set(damages.map(({ reduce }) => reduce))]);
    return `map output was damaged ${place}: ${outputs}, found by ${finders} (${damages.at(-1)!.detail})`;
  });
}

function placeOf({ where, worker }: DamageView): string {
  switch (where) {
    case 'disk':
      return `on the disk of ${worker}`;
    case 'transit':
      return `on the way from ${worker}`;
    case 'store':
      return 'in its copy in the store';
  }
}

function whyNoneRuns(workers: Workers): string {
  const start = 'millrace worker --coordinator HOST:PORT starts one';
  if (workers.length === 0) return `no worker is connected; ${start}`;
  const ready = workers.filter((worker) => worker.state === 'ready');
  if (ready.length === 0) {
    const states = [...new Set(workers.map((worker) => worker.state))].map(
      (state) => `${workers.filter((worker) => worker.state === state).length} ${state}`,
    );
    return `no worker takes tasks (${states.join(', ')}: millrace workers); ${start}`;
  }
  const free = ready.reduce((sum, { slots, slotsUsed }) => sum + Math.max(0, slots - slotsUsed), 0);
  return free === 0
    ? `other jobs use every slot of ${plural(ready.length, 'worker')} (millrace list)`
    : `${plural(free, 'slot')} free, so they should start soon (millrace workers)`;
}

function groupFailures(view: JobView): FailureGroup[] {
  const groups = new Map<string, { kind: AttemptFailure['kind']; tasks: string[]; workers: string[] }>();
  for (const { task, worker, failure } of view.failedAttempts) {
    const what = describeFailure(failure).split('\n')[0] ?? '';
    const group = groups.get(what) ?? { kind: failure.kind, tasks: [], workers: [] };
    groups.set(what, group);
    group.tasks.push(task);
    group.workers.push(worker);
  }
  return [...groups]
    .map(([what, { kind, tasks, workers }]) => ({
      what,
      kind,
      attempts: tasks.length,
      tasks: [...new Set(tasks)],
      workers: [...new Set(workers)],
    }))
    .sort((a, b) => b.attempts - a.attempts);
}

function shorten(names: readonly string[]): string {
  return names.length <= 4
    ? names.join(', ')
    : `${names.slice(0, 3).join(', ')} and ${names.length - 3} more`;
}
