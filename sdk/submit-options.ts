/** From what a job is and what its submitter wants to the spec that is sent. Pure: reads no file and no clock. */
import { resolve } from 'node:path';
import { parseBadRecordBudget } from '../lib/bad-records.ts';
import { didYouMean } from '../lib/did-you-mean.ts';
import { MillraceError } from '../lib/errors.ts';
import {
  type Durability,
  durabilities,
  type IfExists,
  type NonDeterminismPolicy,
  nonDeterminismPolicies,
  type ParamValue,
  type SubmittedSpec,
} from '../lib/job-spec.ts';
import { limits } from '../lib/limits.ts';
import { fileUri, formatUri, parseUri } from '../lib/store/uri.ts';
import { parseBytes, parseDurationMs } from '../lib/units.ts';
import type { JobDescriptor } from './describe-job.ts';

export interface SubmitOptions {
  /** Paths, globs, folders, `file:` or `s3://bucket/prefix` with glob. Relative paths are relative to the working directory. */
  readonly input: string | readonly string[];
  /** The folder of the output objects: a path, `file:` or `s3://bucket/prefix`. */
  readonly output: string;
  /** Over the job's defaults; text is read as the type of the default. */
  readonly params?: Readonly<Record<string, ParamValue>>;
  /** How many partitions; default the job's, else 4. 0 is a map-only job. */
  readonly reducers?: number;
  /** Wanted bytes per map task: 67108864 or '64MiB'. Default the job's, else a 16th of the input, at least 8 and at most 32 MiB. Not together with `maps`. */
  readonly splitSize?: number | string;
  /** Wanted number of map tasks; record bounds and small files decide in the end. */
  readonly maps?: number;
  /** -1000 to 1000, default 0; higher first. */
  readonly priority?: number;
  /** When the output folder has objects already; default `fail`. */
  readonly ifExists?: IfExists;
  /** Attempts of one task; default 4. */
  readonly maxAttempts?: number;
  /** A task that reads, writes and reports nothing for that long is stopped: milliseconds, or '10m' (the default). */
  readonly taskTimeout?: number | string;
  /**
   * How many records may be malformed or make `map` throw: 100, or '0.1%' of all. They are skipped and kept under `_bad/` in the output.
   * Default 0: the first one fails its task.
   */
  readonly maxBadRecords?: number | string;
  /**
   * Whether map output is copied to the store, so that a lost worker costs no rerun: `local` (default) never, `async` in the background after
   * a map is done, `sync` before it counts as done.
   */
  readonly durability?: Durability;
  /**
   * When a map that ran twice made different things: `rerun-reduces` (default) starts again what used the earlier output, so that the
   * output is that of one run; `fail` ends the job, naming map and partitions.
   */
  readonly onNondeterminism?: NonDeterminismPolicy;
  /** Tasks say where their time went: `profile` of the job's view. Costs a few per cent; default false. */
  readonly profile?: boolean;
}

const reducersDefault = 4;
const priorityMax = 1_000;
const taskTimeoutMsMax = 7 * 24 * 3_600_000;
const ifExistsValues: readonly IfExists[] = ['fail', 'replace', 'append'];

/** Throws `invalid-argument`, naming the option (and its flag), what it accepts and what was given. */
export function compileJobSpec(
  bundle: { readonly descriptor: JobDescriptor; readonly sha256: string },
  options: SubmitOptions,
  cwd: string = process.cwd(),
): SubmittedSpec {
  const job = bundle.descriptor;
  const { ifExists = 'fail' } = options;
  return {
    name: job.name,
    bundleSha256: bundle.sha256,
    input: job.input,
    output: job.output,
    inputPatterns: compileInput(options.input, cwd),
    outputUri: compileOutput(options.output, cwd),
    ifExists: oneOf(ifExists, ifExistsValues, 'ifExists (--if-exists)'),
    params: compileParams(job, options.params ?? {}),
    reducers: compileReducers(job, options.reducers),
    partition: job.partition,
    ...compileSplits(job, options),
    priority: integer(options.priority ?? 0, -priorityMax, priorityMax, 'priority (--priority)'),
    attemptsMax: integer(
      options.maxAttempts ?? limits.attemptsMaxDefault,
      1,
      limits.attemptsMaxMax,
      'maxAttempts (--max-attempts)',
    ),
    taskTimeoutMs: compileTaskTimeout(options.taskTimeout),
    ...compileBudget(options.maxBadRecords),
    ...compilePolicies(options),
  };
}

function compileInput(input: string | readonly string[], cwd: string): string[] {
  const patterns = typeof input === 'string' ? [input] : input;
  if (!Array.isArray(patterns) || patterns.length === 0)
    throw invalid('input (-i): give at least one path, glob, folder or s3://bucket/prefix');
  return patterns.map((pattern: unknown) => absoluteUri(pattern, 'input (-i)', cwd));
}

function compileOutput(output: unknown, cwd: string): string {
  const uri = absoluteUri(output, 'output (-o)', cwd);
  return uri.endsWith('/') ? uri : `${uri}/`;
}

/** Relative paths become `file:` URIs, percent-encoded; glob characters mean the same after decoding. A slash at the end stays. */
function absoluteUri(place: unknown, option: string, cwd: string): string {
  if (typeof place !== 'string' || place === '')
    throw invalid(`${option}: expected a path, a folder or s3://bucket/prefix, got ${show(place)}`);
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(place)) return formatUri(parseUri(place));
  const path = resolve(cwd, place);
  return fileUri(place.endsWith('/') && !path.endsWith('/') ? `${path}/` : path);
}

function compileParams(
  job: JobDescriptor,
  given: Readonly<Record<string, ParamValue>>,
): Readonly<Record<string, ParamValue>> {
  const params: Record<string, ParamValue> = { ...job.params };
  for (const [name, value] of Object.entries(given)) {
    const preset = Object.hasOwn(job.params, name) ? job.params[name] : undefined;
    if (preset === undefined) throw unknownParam(job, name);
    params[name] = coerce(value, preset, name);
  }
  const bytes = Buffer.byteLength(JSON.stringify(params));
  if (bytes > limits.paramsBytesMax)
    throw invalid(
      `params (--param) take ${bytes} bytes, over the limit of ${limits.paramsBytesMax}; read big data from the input`,
    );
  return params;
}

function unknownParam(job: JobDescriptor, name: string): Error {
  const names = Object.keys(job.params);
  const known = names.length === 0 ? 'it has none' : `it has ${names.join(', ')}`;
  return invalid(`job '${job.name}' has no parameter '${name}' (${known})${didYouMean(name, names)}`);
}

/** `value` as the type of the job's default: the command line gives text only. */
function coerce(value: unknown, preset: ParamValue, name: string): ParamValue {
  if (typeof preset === 'string' && typeof value === 'string') return value;
  if (typeof preset === 'boolean') {
    if (value === true || value === 'true') return true;
    if (value === false || value === 'false') return false;
  }
  if (typeof preset === 'number') {
    const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
    if (typeof number === 'number' && Number.isFinite(number)) return number;
  }
  const expected = typeof preset === 'boolean' ? 'true or false' : `a ${typeof preset}`;
  throw invalid(
    `parameter '${name}' (--param): expected ${expected}, as its default ${show(preset)}, got ${show(value)}`,
  );
}

function compileReducers(job: JobDescriptor, wanted: number | undefined): number {
  const reducers = integer(
    wanted ?? job.reducers ?? reducersDefault,
    0,
    limits.reduceTasksMax,
    'reducers (-r)',
  );
  const unused = job.hasReduce
    ? 'reduce'
    : job.hasCombine
      ? 'combine'
      : job.partition === 'hash'
        ? ''
        : 'partition';
  if (reducers === 0 && unused !== '')
    throw invalid(
      `reducers (-r): 0 is a map-only job, but job '${job.name}' has ${unused}, which would never run; give 1 or more`,
    );
  return reducers;
}

function compileSplits(
  job: JobDescriptor,
  { splitSize, maps }: SubmitOptions,
): Pick<SubmittedSpec, 'splitBytes' | 'maps'> {
  if (splitSize !== undefined && maps !== undefined)
    throw invalid('splitSize (--split-size) and maps (--maps) say the same in two ways; give one of them');
  const option = 'splitSize (--split-size)';
  const wanted =
    (typeof splitSize === 'string' ? parseBytes(splitSize, option) : splitSize) ?? job.splitBytes;
  return {
    splitBytes:
      wanted === undefined
        ? undefined
        : integer(wanted, limits.splitBytesMin, Number.MAX_SAFE_INTEGER, option),
    maps: maps === undefined ? undefined : integer(maps, 1, limits.mapTasksMax, 'maps (--maps)'),
  };
}

function compileTaskTimeout(taskTimeout: number | string | undefined): number {
  const option = 'taskTimeout (--task-timeout)';
  const ms = typeof taskTimeout === 'string' ? parseDurationMs(taskTimeout, option) : taskTimeout;
  return integer(ms ?? limits.taskTimeoutMsDefault, 1, taskTimeoutMsMax, `${option}, in ms`);
}

function compileBudget(maxBadRecords: number | string | undefined): Pick<SubmittedSpec, 'maxBadRecords'> {
  const budget = parseBadRecordBudget(maxBadRecords ?? 0, 'maxBadRecords (--max-bad-records)');
  return budget ? { maxBadRecords: budget } : {};
}

function compilePolicies({
  durability,
  onNondeterminism,
  profile,
}: SubmitOptions): Pick<SubmittedSpec, 'durability' | 'onNondeterminism' | 'profile'> {
  const policyOption = 'onNondeterminism (--on-nondeterminism)';
  return {
    ...(durability && { durability: oneOf(durability, durabilities, 'durability (--durability)') }),
    ...(onNondeterminism && {
      onNondeterminism: oneOf(onNondeterminism, nonDeterminismPolicies, policyOption),
    }),
    ...(profile && { profile: true }),
  };
}

function oneOf<T extends string>(value: T, allowed: readonly T[], option: string): T {
  if (allowed.includes(value)) return value;
  throw invalid(`${option}: expected ${allowed.join(', ')}, got ${show(value)}`);
}

function integer(value: unknown, min: number, max: number, option: string): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= min && value <= max) return value;
  throw invalid(`${option}: expected a whole number from ${min} to ${max}, got ${show(value)}`);
}

function show(value: unknown): string {
  return (JSON.stringify(value) ?? String(value)).slice(0, 80);
}

function invalid(message: string): MillraceError {
  return new MillraceError('invalid-argument', message);
}
