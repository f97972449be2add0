/** What types cannot say, and what plain JavaScript job files get wrong: checks a definition and erases it into a UserJob. */
import { type AggregatorData, isAggregator } from '../lib/aggregator.ts';
import { didYouMean } from '../lib/did-you-mean.ts';
import { MillraceError } from '../lib/errors.ts';
import type { InputFormat, OutputFormat } from '../lib/formats.ts';
import type { ParamValue } from '../lib/job-spec.ts';
import { limits } from '../lib/limits.ts';
import { parseBytes } from '../lib/units.ts';
import type { UserJob } from '../lib/user-job.ts';
import { jobFileError } from './job-file-error.ts';
import { rangePartition } from './partitions.ts';

const optionNames = [
  'name',
  'input',
  'output',
  'params',
  'map',
  'mapEmit',
  'combine',
  'reduce',
  'partition',
  'setup',
  'teardown',
  'reducers',
  'splitSize',
] as const;

/** The definition with nothing known about it yet. */
type Unchecked = { readonly [Name in (typeof optionNames)[number]]?: unknown };
type Mutable<T> = { -readonly [Name in keyof T]: T[Name] };
type Checked = Omit<UserJob, 'millraceJob' | 'source'>;

const paramName = /^(?!__proto__$)[A-Za-z_$][\w$-]{0,63}$/;

/** Throws `job-file`. */
export function checkDefinition(meta: unknown, definition: unknown): Checked {
  if (typeof (meta as { url?: unknown } | undefined)?.url !== 'string' || !isRecord(definition))
    throw jobFileError('defineJob: expected defineJob(import.meta, { name, map, … })');
  const options: Unchecked = definition;
  const name = checkName(options.name);
  const fail = (message: string) => jobFileError(`job '${name}': ${message}`);
  for (const option of Object.keys(options)) {
    if (!optionNames.some((known) => known === option))
      throw fail(`unknown option '${option}'${didYouMean(option, optionNames)}`);
  }
  const job: Mutable<Checked> = {
    name,
    input: formatOf<InputFormat>(options.input, 'input', fail) ?? { kind: 'lines' },
    output: formatOf<OutputFormat>(options.output, 'output', fail) ?? { kind: 'tsv', compression: 'none' },
    params: checkParams(options.params ?? {}, fail),
  };
  Object.assign(job, checkFunctions(options, fail), checkNumbers(options, fail));
  checkTogether(job, fail);
  return job;
}

type Fail = (message: string) => Error;

function checkName(name: unknown): string {
  if (name === undefined) throw jobFileError("defineJob: the option 'name' is missing");
  if (typeof name !== 'string' || name.trim() !== name || name === '' || /\p{C}/u.test(name))
    throw jobFileError(
      `defineJob: name must be printable text with no space around it, got ${describe(name)}`,
    );
  if (name.length > limits.jobNameCharsMax)
    throw jobFileError(
      `defineJob: name has ${name.length} characters, over the limit of ${limits.jobNameCharsMax}; shorten it`,
    );
  return name;
}

function formatOf<Format>(value: unknown, side: 'input' | 'output', fail: Fail): Format | undefined {
  if (value === undefined) return undefined;
  const sides = isRecord(value) ? (value as { readonly input?: Format; readonly output?: Format }) : {};
  const format = sides[side];
  if (isRecord(format)) return format;
  const other = side === 'input' ? sides.output : sides.input;
  if (isRecord(other)) {
    const kind = String((other as { kind?: unknown }).kind);
    const hint = side === 'input' && kind !== 'tsv' ? `; as input ${kind} takes no options about output` : '';
    throw fail(`${kind} cannot be used as ${side}${hint}`);
  }
  const accepted =
    side === 'input'
      ? 'lines(), words(), jsonl(), csv(), wholeFile() or fixedLength(n)'
      : 'tsv(), jsonl(), lines() or fixedLength(n)';
  throw fail(`${side} must be ${accepted}, got ${describe(value)}`);
}

function checkParams(params: unknown, fail: Fail): Readonly<Record<string, ParamValue>> {
  if (!isRecord(params)) throw fail(`params must be an object of defaults, got ${describe(params)}`);
  for (const [name, value] of Object.entries(params)) {
    if (!paramName.test(name))
      throw fail(`the parameter name ${JSON.stringify(name)} must match ${paramName.source}`);
    const isFine =
      typeof value === 'string' ||
      typeof value === 'boolean' ||
      (typeof value === 'number' && Number.isFinite(value));
    if (!isFine)
      throw fail(
        `the default of parameter '${name}' must be a string, number or boolean, got ${describe(value)}`,
      );
  }
  const bytes = new TextEncoder().encode(JSON.stringify(params)).length;
  if (bytes > limits.paramsBytesMax)
    throw fail(
      `params take ${bytes} bytes, over the limit of ${limits.paramsBytesMax}; read big data from the input`,
    );
  return Object.freeze({ ...params }) as Readonly<Record<string, ParamValue>>;
}

function checkFunctions(options: Unchecked, fail: Fail): Partial<Checked> {
  const functions: Record<string, unknown> = {};
  for (const name of ['map', 'mapEmit', 'setup', 'teardown'] as const) {
    const value = options[name];
    if (value === undefined) continue;
    if (typeof value !== 'function') throw fail(`${name} must be a function, got ${describe(value)}`);
    functions[name] = value;
  }
  for (const name of ['combine', 'reduce'] as const) {
    const value = options[name];
    if (value === undefined) continue;
    if (typeof value !== 'function' && !isAggregator(value)) {
      throw fail(
        `${name} must be sum, count, min, max, first, topK(n), fold(…) or a generator, got ${describe(value)}`,
      );
    }
    if (isAggregator(value) && value.op === 'fold' && typeof value.merge !== 'function')
      throw fail(`${name}: fold takes a function of two values, got ${describe(value.merge)}`);
    functions[name] = value;
  }
  const partition = checkPartition(options.partition, fail);
  if (partition !== undefined) functions.partition = partition;
  return functions;
}

function checkPartition(value: unknown, fail: Fail): UserJob['partition'] {
  if (value === undefined) return undefined;
  const kind = (value as { kind?: unknown } | null)?.kind;
  // hashPartition is a function too, so its mark is looked at first.
  if (kind === 'hash' || kind === 'range') return { kind };
  if (value === rangePartition) throw fail('rangePartition is called: partition: rangePartition()');
  if (typeof value === 'function') return value as (key: unknown, partitions: number) => number;
  throw fail(`partition must be hashPartition, rangePartition() or a function, got ${describe(value)}`);
}

function checkNumbers(options: Unchecked, fail: Fail): { reducers?: number; splitBytes?: number } {
  const numbers: { reducers?: number; splitBytes?: number } = {};
  const { reducers, splitSize } = options;
  if (reducers !== undefined) {
    if (
      typeof reducers !== 'number' ||
      !Number.isInteger(reducers) ||
      reducers < 0 ||
      reducers > limits.reduceTasksMax
    )
      throw fail(
        `reducers must be a whole number from 0 to ${limits.reduceTasksMax}, got ${describe(reducers)}`,
      );
    numbers.reducers = reducers;
  }
  if (splitSize !== undefined) numbers.splitBytes = checkSplitSize(splitSize, fail);
  return numbers;
}

function checkSplitSize(splitSize: unknown, fail: Fail): number {
  let bytes = splitSize;
  try {
    if (typeof splitSize === 'string') bytes = parseBytes(splitSize, 'splitSize');
  } catch (error) {
    throw fail(MillraceError.from(error).message);
  }
  if (typeof bytes === 'number' && Number.isSafeInteger(bytes) && bytes >= limits.splitBytesMin) return bytes;
  throw fail(
    `splitSize must be a size such as '64MiB' or a whole number of bytes from ${limits.splitBytesMin}, got ${describe(splitSize)}`,
  );
}

function checkTogether(job: Partial<Checked>, fail: Fail): void {
  if (job.map && job.mapEmit) throw fail('both map and mapEmit are given; remove one');
  if (job.reducers === 0) {
    for (const name of ['reduce', 'combine', 'partition'] as const) {
      if (job[name])
        throw fail(`reducers: 0 is a map-only job, so ${name} would never run; remove one of them`);
    }
  }
  if (job.combine) checkCombine(job.combine, job.reduce, fail);
}

/** A reduce aggregator sees what the combiner left: it must be able to go on from there. */
function checkCombine(combine: NonNullable<UserJob['combine']>, reduce: UserJob['reduce'], fail: Fail): void {
  if (!isAggregator(reduce)) return;
  const before = isAggregator(combine) ? combine.op : 'a generator';
  if (reduce.op === 'count' && before !== 'count')
    throw fail(
      `reduce: count would count what combine (${before}) made, not the values; use combine: count, or reduce: sum`,
    );
  if (isAggregator(combine) && !goesOn(combine, reduce))
    throw fail(
      `combine: ${show(combine)} and reduce: ${show(reduce)} would mix up: the result would depend on how values are grouped`,
    );
}

function goesOn(combine: AggregatorData, reduce: AggregatorData): boolean {
  if (combine.op === 'topK' || reduce.op === 'topK')
    return combine.op === reduce.op && combine.k === reduce.k;
  if (combine.op === reduce.op || combine.op === 'fold' || reduce.op === 'fold') return true;
  return combine.op === 'count' && reduce.op === 'sum';
}

function show({ op, k }: AggregatorData): string {
  return op === 'topK' ? `topK(${k})` : op;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function describe(value: unknown): string {
  if (typeof value === 'function') return value.name ? `the function ${value.name}` : 'a function';
  if (typeof value === 'bigint' || typeof value === 'symbol') return String(value);
  return (JSON.stringify(value) ?? String(value)).slice(0, 80);
}
