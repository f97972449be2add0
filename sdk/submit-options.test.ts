import { expect, test } from 'vitest';
import { MillraceError } from '../lib/errors.ts';
import { parseSubmittedSpec } from '../lib/parse-spec.ts';
import { uriToPath } from '../lib/store/uri.ts';
import type { JobDescriptor } from './describe-job.ts';
import { compileJobSpec, type SubmitOptions } from './submit-options.ts';

const descriptor: JobDescriptor = {
  name: 'grep',
  input: { kind: 'lines' },
  output: { kind: 'tsv', compression: 'none' },
  params: { needle: 'x', least: 10, deep: false },
  partition: 'hash',
  hasCombine: false,
  hasReduce: true,
};

function compile(options: object = {}, job: Partial<JobDescriptor> = {}) {
  const given = { input: 'in', output: 'out', ...options } as SubmitOptions;
  return compileJobSpec({ descriptor: { ...descriptor, ...job }, sha256: 'a'.repeat(64) }, given, '/home/me');
}

function refusal(options: object, job: Partial<JobDescriptor> = {}): string {
  try {
    compile(options, job);
  } catch (error) {
    expect(error).toBeInstanceOf(MillraceError);
    expect((error as MillraceError).code).toBe('invalid-argument');
    return (error as MillraceError).message;
  }
  throw new Error('the options were accepted');
}

test('the defaults make a spec that the coordinator accepts', () => {
  const spec = compile();
  expect(spec).toEqual({
    name: 'grep',
    bundleSha256: 'a'.repeat(64),
    input: { kind: 'lines' },
    output: { kind: 'tsv', compression: 'none' },
    inputPatterns: ['file:///home/me/in'],
    outputUri: 'file:///home/me/out/',
    ifExists: 'fail',
    params: { needle: 'x', least: 10, deep: false },
    reducers: 4,
    partition: 'hash',
    splitBytes: undefined,
    maps: undefined,
    priority: 0,
    attemptsMax: 4,
    taskTimeoutMs: 600_000,
  });
  expect(parseSubmittedSpec(JSON.stringify(spec))).toEqual(spec);
});

test('the job has its own defaults, and the options win over them', () => {
  const job = { reducers: 7, splitBytes: 1000 };
  expect(compile({}, job)).toMatchObject({ reducers: 7, splitBytes: 1000 });
  expect(compile({ reducers: 2, splitSize: '16MiB' }, job)).toMatchObject({
    reducers: 2,
    splitBytes: 16 * 1024 * 1024,
  });
  expect(
    compile({ maps: 12, priority: -3, maxAttempts: 1, taskTimeout: '5m', ifExists: 'append' }),
  ).toMatchObject({
    maps: 12,
    priority: -3,
    attemptsMax: 1,
    taskTimeoutMs: 300_000,
    ifExists: 'append',
  });
});

test.each([
  ['logs/*.gz', 'file:///home/me/logs/*.gz'],
  ['../you/logs/', 'file:///home/you/logs/'],
  ['/abs/a b#1.txt', 'file:///abs/a%20b%231.txt'],
  ['.', 'file:///home/me'],
  ['/', 'file:///'],
  ['file:///data/**/*.json', 'file:///data/**/*.json'],
  ['s3://bucket/2026/{01,02}/*.gz', 's3://bucket/2026/{01,02}/*.gz'],
])('the input %s is sent as %s', (pattern, uri) => {
  expect(compile({ input: pattern }).inputPatterns).toEqual([uri]);
});

test.each(['logs/[ab]?/{x,y}*.txt', 'a%20b/é.txt', 'what?#.txt'])(
  'the pattern %s comes out as it went in',
  (pattern) => {
    const [uri] = compile({ input: [pattern] }).inputPatterns;
    expect(uriToPath(uri ?? '')).toBe(`/home/me/${pattern}`);
  },
);

test.each([
  ['out', 'file:///home/me/out/'],
  ['out/', 'file:///home/me/out/'],
  ['s3://bucket', 's3://bucket/'],
  ['s3://bucket/p', 's3://bucket/p/'],
  ['file:///x', 'file:///x/'],
])('the output %s is the folder %s', (output, uri) => {
  expect(compile({ output }).outputUri).toBe(uri);
});

test('parameters take the type of their default', () => {
  expect(compile({ params: { needle: '5', least: '2.5', deep: 'true' } }).params).toEqual({
    needle: '5',
    least: 2.5,
    deep: true,
  });
  expect(compile({ params: { least: -1, deep: false } }).params).toEqual({
    needle: 'x',
    least: -1,
    deep: false,
  });
});

test.each<[string, object, string]>([
  [
    'an unknown parameter',
    { params: { neddle: 'x' } },
    "job 'grep' has no parameter 'neddle' (it has needle, least, deep); did you mean 'needle'?",
  ],
  ['an inherited name', { params: { constructor: 'x' } }, "job 'grep' has no parameter 'constructor'"],
  [
    'a number that is none',
    { params: { least: 'many' } },
    `parameter 'least' (--param): expected a number, as its default 10, got "many"`,
  ],
  ['a number that is empty', { params: { least: ' ' } }, "parameter 'least' (--param): expected a number"],
  [
    'a boolean that is none',
    { params: { deep: 'yes' } },
    `parameter 'deep' (--param): expected true or false, as its default false, got "yes"`,
  ],
  ['a string that is a number', { params: { needle: 5 } }, "parameter 'needle' (--param): expected a string"],
  ['parameters beyond the limit', { params: { needle: 'x'.repeat(70_000) } }, 'over the limit of 65536'],
  ['no input', { input: [] }, 'input (-i): give at least one path, glob, folder or s3://bucket/prefix'],
  ['an empty input', { input: [''] }, 'input (-i): expected a path'],
  ['a store that is not known', { input: 'gs://bucket/x' }, '"gs://bucket/x" is not a URI Millrace can read'],
  ['no output', { output: undefined }, 'output (-o): expected a path'],
  [
    'too many reducers',
    { reducers: 100_000 },
    'reducers (-r): expected a whole number from 0 to 32768, got 100000',
  ],
  ['half a reducer', { reducers: 1.5 }, 'reducers (-r)'],
  [
    'a map-only run of a job that reduces',
    { reducers: 0 },
    "reducers (-r): 0 is a map-only job, but job 'grep' has reduce, which would never run; give 1 or more",
  ],
  [
    'two split sizes',
    { splitSize: '1MiB', maps: 3 },
    'splitSize (--split-size) and maps (--maps) say the same in two ways',
  ],
  ['a split size in words', { splitSize: 'big' }, 'splitSize (--split-size): expected a size such as'],
  ['a split size of nothing', { splitSize: 0 }, 'splitSize (--split-size): expected a whole number from 1'],
  ['no maps', { maps: 0 }, 'maps (--maps): expected a whole number from 1 to 1000000, got 0'],
  [
    'a priority out of range',
    { priority: 5_000 },
    'priority (--priority): expected a whole number from -1000 to 1000, got 5000',
  ],
  [
    'no attempts',
    { maxAttempts: 0 },
    'maxAttempts (--max-attempts): expected a whole number from 1 to 100, got 0',
  ],
  [
    'a timeout without unit',
    { taskTimeout: '10' },
    'taskTimeout (--task-timeout): expected a duration such as 500ms, 10s, 5m or 1h, got "10"',
  ],
  [
    'a timeout of nothing',
    { taskTimeout: 0 },
    'taskTimeout (--task-timeout), in ms: expected a whole number from 1',
  ],
  [
    'an unknown answer to existing output',
    { ifExists: 'merge' },
    'ifExists (--if-exists): expected fail, replace, append, got "merge"',
  ],
])('refused: %s', (_what, options, message) => {
  expect(refusal(options)).toContain(message);
});

test('a job without reduce may be map-only, unless something else of it would never run', () => {
  expect(compile({ reducers: 0 }, { hasReduce: false }).reducers).toBe(0);
  expect(refusal({ reducers: 0 }, { hasReduce: false, partition: 'range' })).toContain(
    "job 'grep' has partition",
  );
  expect(refusal({ reducers: 0 }, { hasReduce: false, hasCombine: true })).toContain(
    "job 'grep' has combine",
  );
  expect(compile({ reducers: 1 }, { partition: 'range' }).reducers).toBe(1);
});

test('a job without parameters says so', () => {
  expect(refusal({ params: { a: '1' } }, { params: {} })).toBe(
    "job 'grep' has no parameter 'a' (it has none)",
  );
});
