/** What went wrong, for people: the cause first, then the place in their code, the record, the attempts, what to type next. */
import { type AttemptFailure, describeFailure, failureFingerprint } from '../../lib/attempt-failure.ts';
import { differenceAdvice } from '../../lib/difference.ts';
import type { MillraceError } from '../../lib/errors.ts';
import type { JobView } from '../../lib/job-view.ts';
import { formatBytes, formatDurationMs } from '../../lib/units.ts';
import { plural } from './progress.ts';
import { type Paint, plain } from './style.ts';
import { formatCount } from './table.ts';

/** An error that ended the command before or beside a job. */
export function renderError(error: MillraceError, paint: Paint = plain): string {
  const text = `${paint('bad', '✖')} ${error.message}`;
  // An error of ours that nobody foresaw: its stack is all there is to report.
  if (error.code !== 'internal') return text;
  const origin = error.cause instanceof Error ? error.cause : error;
  return `${text}\n${paint('dim', origin.stack ?? '')}\nThis is a mistake in Millrace itself; please report it with these lines.`;
}

export interface FailureOptions {
  /** The lines of source around the first frame, when they could be found. */
  readonly excerpt: string | undefined;
  /** Whether a coordinator will still know the job. */
  readonly showCommands: boolean;
}

/** A job that did not complete. */
export function renderFailure(view: JobView, options: FailureOptions, paint: Paint = plain): string[] {
  const { cause } = view;
  const what = view.state === 'CANCELLED' ? 'was cancelled' : 'failed';
  const id = options.showCommands ? ` (${view.jobId})` : '';
  const head = `${paint('bad', '✖')} job ${paint('strong', view.name)}${id} ${what}`;
  if (!cause) return [head];
  const failure = cause.failure;
  if (!failure) {
    const advice = cause.code === 'non-deterministic' ? [`  ${differenceAdvice}`] : [];
    return [`${head}: ${cause.message}`, ...advice, ...nextLines(view, undefined, options)];
  }
  return [
    `${head}: ${verdictOf(cause.message, failure)}`,
    ...renderFailureLines(failure, options.excerpt, paint),
    ...attemptLines(view, cause.task),
    ...nextLines(view, cause.task ?? undefined, options),
  ];
}

/** What failed, where in the job's own files, and at which record. */
export function renderFailureLines(
  failure: AttemptFailure,
  excerpt: string | undefined,
  paint: Paint = plain,
): string[] {
  return [
    ...indent(describeError(failure)),
    ...frames(failure, paint),
    ...(excerpt === undefined ? [] : excerpt.split('\n')),
    ...factLines(failure),
  ];
}

/** `m17 failed twice with the same error`: the sentence without the failure, which is shown at length below it. */
function verdictOf(message: string, failure: AttemptFailure): string {
  const tail = `: ${describeFailure(failure)}`;
  return message.endsWith(tail) ? message.slice(0, -tail.length) : message;
}

function describeError(failure: AttemptFailure): string {
  switch (failure.kind) {
    case 'user-error':
      return `${failure.name}: ${failure.message}`;
    case 'malformed-record':
      return failure.message;
    default:
      return `${failure.kind}: ${failure.message}`;
  }
}

function frames(failure: AttemptFailure, paint: Paint): string[] {
  if (failure.kind !== 'user-error' || failure.stack === '') return [];
  return failure.stack
    .split('\n')
    .map((line) => paint('dim', `  ${line.startsWith(' ') ? line : `  ${line}`}`));
}

function factLines(failure: AttemptFailure): string[] {
  switch (failure.kind) {
    case 'user-error':
      return [
        ...(failure.where === '' ? [] : [`  in       ${failure.where}()`]),
        ...(failure.record === '' ? [] : [`  record   ${failure.record}`]),
      ];
    case 'malformed-record':
      return [
        `  record   ${failure.uri}  line ${formatCount(failure.line)} (byte ${formatCount(failure.offset)})`,
      ];
    case 'out-of-memory':
      return [`  limit    ${formatBytes(failure.heapBytesMax)} of heap per slot (--slot-memory)`];
    case 'timeout':
      return [`  idle     ${formatDurationMs(failure.idleMs)} (--task-timeout)`];
    default:
      return [];
  }
}

/** The attempts of the task that ended the job, in order: `worker-2 ✖ same error · worker-5 ✖ out-of-memory`. */
function attemptLines(view: JobView, task: string | null): string[] {
  const attempts = view.failedAttempts.filter((attempt) => attempt.task === task);
  if (attempts.length === 0) return [];
  const shown = attempts.map(({ worker, failure }, i) => {
    const same = i > 0 && failureFingerprint(failure) === failureFingerprint(attempts[i - 1]!.failure);
    return `${worker} ✖ ${same ? 'same error' : failure.kind}`;
  });
  return [`  attempts ${plural(attempts.length, 'failed attempt')}: ${shown.join(' · ')}`];
}

function nextLines(view: JobView, task: string | undefined, options: FailureOptions): string[] {
  if (!options.showCommands || view.state === 'CANCELLED') return [];
  const logs = task === undefined ? '' : ` · millrace logs ${view.jobId} --task ${task}`;
  return [`  next     millrace explain ${view.jobId}${logs}`];
}

function indent(text: string): string[] {
  return text.split('\n').map((line) => `  ${line}`);
}
