/** What comes from the coordinator is checked here, once. */
import { type ClusterView, type WorkerView, workerStates } from '../lib/cluster-view.ts';
import { MillraceError } from '../lib/errors.ts';
import { toJobId } from '../lib/ids.ts';
import { type JobView, jobStates, type PhaseView } from '../lib/job-view.ts';
import { stages } from '../lib/profile.ts';

type Json = Readonly<Record<string, unknown>>;

const phaseFields: readonly (keyof PhaseView)[] = [
  'total',
  'done',
  'running',
  'waiting',
  'failedAttempts',
  'backups',
  'reruns',
  'records',
  'bytes',
];

/** Those that the command line shows; whatever else there is passes as it came. */
const workerNumbers = [
  'slots',
  'slotsUsed',
  'lastHeartbeatMs',
  'rssBytes',
  'memoryBytesMax',
  'cpuFraction',
  'scratchBytes',
  'scratchBytesMax',
] as const satisfies readonly (keyof WorkerView)[];

/** Throws `internal` naming the field that is not as lib/cluster-view.ts says. */
export function parseClusterView(text: string): ClusterView {
  const what = 'a view of the cluster';
  const view = parseJson(text, what);
  for (const name of ['nowMs', 'slots', 'slotsUsed', 'jobsActive'] as const)
    check(isNumber(view[name]), name, view[name], what);
  for (const name of ['jobs', 'maps', 'reduces'] as const)
    check(isObject(view[name]), name, view[name], what);
  check(Array.isArray(view.workers), 'workers', view.workers, what);
  for (const worker of view.workers as unknown[]) {
    check(isObject(worker) && typeof worker.workerId === 'string', 'workerId', worker, what);
    const { state, host, attempts } = worker as Json;
    check(
      workerStates.some((known) => known === state),
      'worker state',
      state,
      what,
    );
    check(typeof host === 'string', 'host', host, what);
    check(
      Array.isArray(attempts) && attempts.every((name) => typeof name === 'string'),
      'attempts',
      attempts,
      what,
    );
    for (const name of workerNumbers)
      check(isNumber((worker as Json)[name]), name, (worker as Json)[name], what);
  }
  return view as unknown as ClusterView;
}

/** Throws `internal` naming the field that is not as lib/job-view.ts says: the coordinator is of another version then. */
export function parseJobView(text: string): JobView {
  const view = parseJson(text);
  toJobId(view.jobId);
  check(typeof view.name === 'string', 'name', view.name);
  check(
    jobStates.some((state) => state === view.state),
    'state',
    view.state,
  );
  check(typeof view.outputUri === 'string', 'outputUri', view.outputUri);
  check(isObject(view.outputFormat), 'outputFormat', view.outputFormat);
  check(Array.isArray(view.input), 'input', view.input);
  check(
    Array.isArray(view.failedAttempts) && view.failedAttempts.every(isFailedAttempt),
    'failedAttempts',
    '…',
  );
  for (const name of ['badRecords', 'mapsCopied'] as const) check(isNumber(view[name]), name, view[name]);
  const differences = view.nonDeterministic;
  check(Array.isArray(differences) && differences.every(isDifference), 'nonDeterministic', differences);
  check(isObject(view.counters), 'counters', view.counters);
  // Missing: of a coordinator before there were profiles.
  check(view.profile == null || isProfile(view.profile), 'profile', view.profile);
  check(view.cause === null || isCause(view.cause), 'cause', view.cause);
  check(isNumber(view.submittedAtMs), 'submittedAtMs', view.submittedAtMs);
  for (const name of ['startedAtMs', 'endedAtMs'] as const) {
    check(view[name] === null || isNumber(view[name]), name, view[name]);
  }
  for (const name of ['map', 'reduce'] as const) {
    const phase = view[name];
    for (const field of phaseFields) {
      check(
        isObject(phase) && isNumber(phase[field]),
        `${name}.${field}`,
        isObject(phase) ? phase[field] : phase,
      );
    }
  }
  return view as unknown as JobView;
}

function parseJson(text: string, what = 'a job view'): Json {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new MillraceError('internal', `the coordinator sent ${what} that is not JSON`, { cause: error });
  }
  if (!isObject(value)) throw new MillraceError('internal', `the coordinator sent ${what} that is no object`);
  return value;
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isNumber(value: unknown): boolean {
  return typeof value === 'number' && Number.isFinite(value);
}

function isFailure(value: unknown): boolean {
  return isObject(value) && typeof value.kind === 'string' && typeof value.message === 'string';
}

function isFailedAttempt(value: unknown): boolean {
  return (
    isObject(value) && typeof value.task === 'string' && isNumber(value.attempt) && isFailure(value.failure)
  );
}

function isDifference(value: unknown): boolean {
  return (
    isObject(value) &&
    (value.task === null || typeof value.task === 'string') &&
    Array.isArray(value.partitions) &&
    value.partitions.every(isNumber) &&
    Array.isArray(value.attempts) &&
    value.attempts.every(
      (made) => isObject(made) && isNumber(made.attempt) && typeof made.worker === 'string',
    )
  );
}

function isProfile(value: unknown): boolean {
  if (!isObject(value) || !isObject(value.micros) || !Array.isArray(value.functions)) return false;
  const { micros, functions } = value as { micros: Json; functions: unknown[] };
  if (!stages.every((stage) => isNumber(micros[stage]))) return false;
  return functions.every(
    (one) =>
      isObject(one) &&
      typeof one.name === 'string' &&
      typeof one.file === 'string' &&
      isNumber(one.line) &&
      isNumber(one.micros),
  );
}

function isCause(value: unknown): boolean {
  return (
    isObject(value) &&
    typeof value.code === 'string' &&
    typeof value.message === 'string' &&
    (value.failure === null || isFailure(value.failure))
  );
}

function check(ok: boolean, field: string, got: unknown, what = 'a job view'): void {
  if (ok) return;
  const shown = JSON.stringify(got)?.slice(0, 80) ?? String(got);
  throw new MillraceError(
    'internal',
    `the coordinator sent ${what} whose ${field} is ${shown}; are both of the same version of Millrace?`,
  );
}
