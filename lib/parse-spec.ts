/** Job specs from outside: everything is checked here once, field by field, before anything acts on it. */

import type { BadRecordBudget } from './bad-records.ts';
import { MillraceError } from './errors.ts';
import type { InputFormat, OutputFormat } from './formats.ts';
import { durabilities, nonDeterminismPolicies, type ParamValue, type SubmittedSpec } from './job-spec.ts';
import { checkLimit, limits } from './limits.ts';

type Json = Readonly<Record<string, unknown>>;

/** Throws `invalid-argument` or `limit-exceeded` naming the field. */
export function parseSubmittedSpec(text: string): SubmittedSpec {
  const json = parseObject(text);
  const params = parseParams(json.params);
  return {
    name: parseName(json.name),
    bundleSha256: match(json.bundleSha256, /^[0-9a-f]{64}$/, 'bundleSha256'),
    input: parseInput(json.input),
    output: parseOutput(json.output),
    inputPatterns: parsePatterns(json.inputPatterns),
    outputUri: parseOutputUri(json.outputUri),
    ifExists: oneOf(json.ifExists, ['fail', 'replace', 'append'], 'ifExists'),
    params,
    reducers: integer(json.reducers, 0, limits.reduceTasksMax, 'reducers (-r)'),
    partition: oneOf(json.partition, ['hash', 'custom', 'range'], 'partition'),
    splitBytes: optional(json.splitBytes, (bytes) =>
      integer(bytes, limits.splitBytesMin, Number.MAX_SAFE_INTEGER, 'splitBytes (--split-size)'),
    ),
    maps: optional(json.maps, (maps) => integer(maps, 1, limits.mapTasksMax, 'maps (--maps)')),
    priority: integer(json.priority, -1_000, 1_000, 'priority (--priority)'),
    attemptsMax: integer(json.attemptsMax, 1, limits.attemptsMaxMax, 'attemptsMax (--max-attempts)'),
    taskTimeoutMs: integer(json.taskTimeoutMs, 1, 7 * 24 * 3_600_000, 'taskTimeoutMs (--task-timeout)'),
    maxBadRecords: optional(json.maxBadRecords, parseBudget),
    durability: optional(json.durability, (value) => oneOf(value, durabilities, 'durability (--durability)')),
    onNondeterminism: optional(json.onNondeterminism, (value) =>
      oneOf(value, nonDeterminismPolicies, 'onNondeterminism (--on-nondeterminism)'),
    ),
    profile: optional(json.profile, (value) => boolean(value, 'profile (--profile)')),
  };
}

function refuse(field: string, expected: string, got: unknown): never {
  const shown = JSON.stringify(got)?.slice(0, 80) ?? String(got);
  throw new MillraceError('invalid-argument', `job spec: ${field} must be ${expected}, got ${shown}`);
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function parseObject(text: string): Json {
  checkLimit(
    'the size of the job spec in bytes',
    Buffer.byteLength(text),
    limits.specBytesMax,
    'name input by globs or folders',
  );
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new MillraceError('invalid-argument', 'job spec: not JSON', { cause: error });
  }
  return isObject(value) ? value : refuse('the spec', 'an object', value);
}

function string(value: unknown, charsMax: number, field: string): string {
  if (typeof value !== 'string') return refuse(field, 'a string', value);
  checkLimit(`the length of ${field}`, value.length, charsMax, 'shorten it');
  return value;
}

function match(value: unknown, pattern: RegExp, field: string): string {
  const text = string(value, 4_096, field);
  return pattern.test(text) ? text : refuse(field, `like ${pattern.source}`, text);
}

function integer(value: unknown, min: number, max: number, field: string): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < min) {
    return refuse(field, `an integer from ${min} to ${max}`, value);
  }
  checkLimit(field, value, max, 'lower it');
  return value;
}

function optional<T>(value: unknown, parse: (value: unknown) => T): T | undefined {
  return value === undefined || value === null ? undefined : parse(value);
}

function oneOf<T extends string>(value: unknown, allowed: readonly T[], field: string): T {
  const found = allowed.find((one) => one === value);
  return found ?? refuse(field, `one of ${allowed.join(', ')}`, value);
}

function boolean(value: unknown, field: string): boolean {
  return typeof value === 'boolean' ? value : refuse(field, 'true or false', value);
}

function parseName(value: unknown): string {
  const name = match(value, /^[^\p{Cc}\p{Cs}]+$/u, 'name');
  checkLimit('the length of the job name', name.length, limits.jobNameCharsMax, 'shorten it');
  return name;
}

function parseInput(value: unknown): InputFormat {
  if (!isObject(value)) return refuse('input', 'an input format', value);
  const kind = oneOf(
    value.kind,
    ['lines', 'words', 'jsonl', 'csv', 'wholeFile', 'fixedLength'],
    'input.kind',
  );
  if (kind === 'fixedLength') return parseFixedLength(value);
  if (kind === 'words')
    return { kind, separators: oneOf(value.separators, ['punctuation', 'whitespace'], 'input.separators') };
  if (kind !== 'csv') return { kind };
  return {
    kind,
    header: boolean(value.header, 'input.header'),
    delimiter: match(value.delimiter, /^[^"\r\n]$/u, 'input.delimiter'),
    quotedNewlines: boolean(value.quotedNewlines, 'input.quotedNewlines'),
  };
}

function parseFixedLength({ bytes, keyBytes }: Json): InputFormat {
  const format = { kind: 'fixedLength', bytes: recordBytes(bytes, 'input.bytes') } as const;
  if (keyBytes === undefined) return format;
  return { ...format, keyBytes: integer(keyBytes, 0, format.bytes, 'input.keyBytes') };
}

function parseBudget(value: unknown): BadRecordBudget {
  const field = 'maxBadRecords (--max-bad-records)';
  if (!isObject(value)) return refuse(field, 'a budget', value);
  const kind = oneOf(value.kind, ['count', 'rate'], `${field}: kind`);
  if (kind === 'count') return { kind, records: integer(value.records, 1, limits.badRecordsMax, field) };
  const { percent } = value;
  if (typeof percent !== 'number' || !(percent > 0 && percent <= 100))
    return refuse(field, 'over 0 and up to 100 percent', percent);
  return { kind, percent };
}

function parseOutput(value: unknown): OutputFormat {
  if (!isObject(value)) return refuse('output', 'an output format', value);
  const kind = oneOf(value.kind, ['tsv', 'jsonl', 'lines', 'fixedLength'], 'output.kind');
  const compression = oneOf(value.compression, ['none', 'gzip', 'zstd'], 'output.compression');
  if (kind === 'fixedLength') return { kind, compression, bytes: recordBytes(value.bytes, 'output.bytes') };
  return { kind, compression };
}

function recordBytes(value: unknown, field: string): number {
  return integer(value, 1, limits.pairBytesMax, field);
}

function parsePatterns(value: unknown): string[] {
  if (!Array.isArray(value) || value.length === 0) return refuse('inputPatterns', 'a non-empty array', value);
  checkLimit('the number of input patterns', value.length, 10_000, 'use globs or folders');
  return value.map((pattern) => match(pattern, /^[a-z0-9]+:\/\/.+/, 'inputPatterns'));
}

function parseOutputUri(value: unknown): string {
  return match(value, /^[a-z0-9]+:\/\/.*\/$/, 'outputUri');
}

function parseParams(value: unknown): Record<string, ParamValue> {
  if (!isObject(value)) return refuse('params', 'an object', value);
  checkLimit(
    'the size of params',
    JSON.stringify(value).length,
    limits.paramsBytesMax,
    'pass large data as input',
  );
  const params: Record<string, ParamValue> = Object.create(null);
  for (const [name, param] of Object.entries(value)) {
    if (typeof param !== 'string' && typeof param !== 'number' && typeof param !== 'boolean') {
      return refuse(`params.${name}`, 'a string, number or boolean', param);
    }
    params[match(name, /^(?!__proto__$)[A-Za-z_$][\w$-]{0,63}$/, 'the name of a param')] = param;
  }
  return params;
}
