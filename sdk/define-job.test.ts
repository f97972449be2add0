import { expect, test } from 'vitest';
import { encodeKeyToBytes } from '../lib/codec/key-codec.ts';
import { MillraceError } from '../lib/errors.ts';
import { murmur3 } from '../lib/hash.ts';
import { limits } from '../lib/limits.ts';
import { isUserJob } from '../lib/user-job.ts';
import {
  count,
  csv,
  defineJob,
  fixedLength,
  fold,
  hashPartition,
  jsonl,
  lines,
  max,
  min,
  rangePartition,
  sum,
  topK,
  tsv,
  wholeFile,
  words,
} from './index.ts';

const meta = { url: 'file:///jobs/x.ts' };
function* map(line: string): Generator<[string, number]> {
  yield [line, 1];
}
function* reduce(key: unknown): Generator<unknown> {
  yield key;
}

/** As from a JavaScript job file, which no compiler has checked. */
function define(definition: unknown): unknown {
  return Reflect.apply(defineJob, undefined, [meta, definition]);
}

function messageOf(definition: unknown): string {
  try {
    define(definition);
  } catch (error) {
    expect(error).toBeInstanceOf(MillraceError);
    expect((error as MillraceError).code).toBe('job-file');
    return (error as MillraceError).message;
  }
  throw new Error('the definition was accepted');
}

test('the defaults are lines in, tsv out, no parameters, hash partitions', () => {
  const job = defineJob(meta, { name: 'x', map });
  expect(isUserJob(job)).toBe(true);
  expect(job).toEqual({
    millraceJob: 1,
    source: 'file:///jobs/x.ts',
    name: 'x',
    input: { kind: 'lines' },
    output: { kind: 'tsv', compression: 'none' },
    params: {},
    map,
  });
  expect(Object.isFrozen(job)).toBe(true);
});

test('a job needs no map', () => {
  expect(isUserJob(define({ name: 'x', input: words(), combine: count, reduce: count }))).toBe(true);
  expect(isUserJob(define({ name: 'x', reducers: 0 }))).toBe(true);
});

test('everything that can be given arrives', () => {
  const setup = () => undefined;
  const teardown = () => undefined;
  const partition = (_key: string, partitions: number) => partitions - 1;
  const job = defineJob(meta, {
    name: 'x',
    input: jsonl<string>(),
    output: lines({ compression: 'zstd' }),
    params: { least: 10, deep: true, tag: '' },
    map,
    combine: sum,
    reduce,
    partition,
    setup,
    teardown,
    reducers: 7,
    splitSize: '16MiB',
  });
  expect(job).toMatchObject({
    input: { kind: 'jsonl' },
    output: { kind: 'lines', compression: 'zstd' },
    params: { least: 10, deep: true, tag: '' },
    combine: { kind: 'aggregator', op: 'sum' },
    reduce,
    partition,
    setup,
    teardown,
    reducers: 7,
    splitBytes: 16 * 1024 * 1024,
  });
  expect(Object.isFrozen(job.params)).toBe(true);
});

test('formats say what they mean', () => {
  expect(lines()).toEqual({ input: { kind: 'lines' }, output: { kind: 'lines', compression: 'none' } });
  expect(fixedLength(100)).toEqual({
    input: { kind: 'fixedLength', bytes: 100 },
    output: { kind: 'fixedLength', bytes: 100, compression: 'none' },
  });
  expect(fixedLength(8, { compression: 'gzip' })).toEqual({
    output: { kind: 'fixedLength', bytes: 8, compression: 'gzip' },
  });
  expect(jsonl({ compression: 'gzip' })).toEqual({ output: { kind: 'jsonl', compression: 'gzip' } });
  expect(wholeFile()).toEqual({ input: { kind: 'wholeFile' } });
  expect(tsv()).toEqual({ output: { kind: 'tsv', compression: 'none' } });
  expect(fixedLength(100, { key: 10 })).toEqual({ input: { kind: 'fixedLength', bytes: 100, keyBytes: 10 } });
  expect(words()).toEqual({ input: { kind: 'words', separators: 'punctuation' } });
  expect(words({ separatedBy: 'whitespace' })).toEqual({
    input: { kind: 'words', separators: 'whitespace' },
  });
  expect(csv()).toEqual({ input: { kind: 'csv', header: true, delimiter: ',', quotedNewlines: true } });
  expect(csv({ header: false, delimiter: ';', quotedNewlines: false })).toEqual({
    input: { kind: 'csv', header: false, delimiter: ';', quotedNewlines: false },
  });
});

test('hashPartition is the default partition by name, and callable on part of a key', () => {
  expect(defineJob(meta, { name: 'x', map, partition: hashPartition }).partition).toEqual({ kind: 'hash' });
  expect(defineJob(meta, { name: 'x', map, partition: rangePartition() }).partition).toEqual({
    kind: 'range',
  });
  expect(hashPartition('example.org', 8)).toBe(murmur3(encodeKeyToBytes('example.org')) % 8);
});

test.each([
  ['count and count', { combine: count, reduce: count }],
  ['partial counts that are summed', { combine: count, reduce: sum }],
  ['a ranking twice', { combine: topK(3), reduce: topK(3) }],
  ['fold and anything', { combine: fold<number>((a, b) => a + b), reduce: sum }],
  ['a combiner before a generator', { combine: max, reduce }],
  ['a combiner without reduce', { combine: sum }],
])('accepted: %s', (_what, options) => {
  expect(isUserJob(define({ name: 'x', map, ...options }))).toBe(true);
});

test.each<[string, unknown, string]>([
  ['no definition', undefined, 'defineJob: expected defineJob(import.meta, { name, map, … })'],
  ['no name', { map }, "defineJob: the option 'name' is missing"],
  [
    'a name of another type',
    { name: 3, map },
    'defineJob: name must be printable text with no space around it, got 3',
  ],
  ['a name with a newline', { name: 'a\nb', map }, 'got "a\\nb"'],
  [
    'a long name',
    { name: 'x'.repeat(limits.jobNameCharsMax + 1), map },
    'name has 129 characters, over the limit of 128; shorten it',
  ],
  [
    'a misspelt option',
    { name: 'x', map, reducer: 4 },
    "job 'x': unknown option 'reducer'; did you mean 'reduce",
  ],
  ['two maps', { name: 'x', map, mapEmit: map }, "job 'x': both map and mapEmit are given; remove one"],
  ['a map that is none', { name: 'x', map: 'upper' }, 'job \'x\': map must be a function, got "upper"'],
  [
    'a reduce that is none',
    { name: 'x', map, reduce: 'sum' },
    'reduce must be sum, count, min, max, first, topK(n), fold(…) or a generator, got "sum"',
  ],
  [
    'fold without calling it',
    { name: 'x', map, combine: { kind: 'aggregator', op: 'fold' } },
    'combine: fold takes a function of two values, got undefined',
  ],
  [
    'a combiner that would be counted',
    { name: 'x', map, combine: sum, reduce: count },
    'reduce: count would count what combine (sum) made, not the values',
  ],
  [
    'a generator that would be counted',
    { name: 'x', map, combine: map, reduce: count },
    'what combine (a generator) made',
  ],
  [
    'aggregators that disagree',
    { name: 'x', map, combine: min, reduce: sum },
    'combine: min and reduce: sum would mix up',
  ],
  [
    'rankings of different lengths',
    { name: 'x', map, combine: topK(3), reduce: topK(4) },
    'combine: topK(3) and reduce: topK(4) would mix up',
  ],
  [
    'a ranking of what was folded',
    { name: 'x', map, combine: fold(() => 1), reduce: topK(4) },
    'combine: fold and reduce: topK(4) would mix up',
  ],
  ['output as input', { name: 'x', map, input: tsv() }, "job 'x': tsv cannot be used as input"],
  [
    'output options on input',
    { name: 'x', map, input: lines({ compression: 'gzip' }) },
    'lines cannot be used as input; as input lines takes no options about output',
  ],
  ['input as output', { name: 'x', map, output: csv() }, "job 'x': csv cannot be used as output"],
  [
    'a format that was not called',
    { name: 'x', map, input: lines },
    'input must be lines(), words(), jsonl(), csv(), wholeFile() or fixedLength(n), got the function lines',
  ],
  [
    'a partition by name',
    { name: 'x', map, partition: 'hash' },
    'partition must be hashPartition, rangePartition() or a function, got "hash"',
  ],
  [
    'rangePartition not called',
    { name: 'x', map, partition: rangePartition },
    'rangePartition is called: partition: rangePartition()',
  ],
  [
    'half a reducer',
    { name: 'x', map, reducers: 1.5 },
    'reducers must be a whole number from 0 to 32768, got 1.5',
  ],
  ['negative reducers', { name: 'x', map, reducers: -1 }, 'got -1'],
  ['too many reducers', { name: 'x', map, reducers: 40_000 }, 'got 40000'],
  [
    'a map-only job with a reduce',
    { name: 'x', map, reduce: sum, reducers: 0 },
    'reducers: 0 is a map-only job, so reduce would never run',
  ],
  ['a split size of nothing', { name: 'x', map, splitSize: 0 }, 'splitSize must be a size'],
  [
    'a split size in words',
    { name: 'x', map, splitSize: 'big' },
    "job 'x': splitSize: expected a size such as",
  ],
  ['a parameter list', { name: 'x', map, params: [1] }, 'params must be an object of defaults, got [1]'],
  [
    'a parameter that is an object',
    { name: 'x', map, params: { a: {} } },
    "the default of parameter 'a' must be a string, number or boolean, got {}",
  ],
  ['a parameter that is NaN', { name: 'x', map, params: { a: Number.NaN } }, "the default of parameter 'a'"],
  [
    'a parameter with = in its name',
    { name: 'x', map, params: { 'a=b': 1 } },
    'the parameter name "a=b" must match',
  ],
  [
    'parameters beyond the limit',
    { name: 'x', map, params: { a: 'x'.repeat(70_000) } },
    'over the limit of 65536; read big data from the input',
  ],
])('refused: %s', (_what, definition, message) => {
  expect(messageOf(definition)).toContain(message);
});

test.each([
  [
    () => Reflect.apply(fixedLength, undefined, [0]),
    'fixedLength(bytes): expected a whole number of bytes from 1, got 0',
  ],
  [
    () => fixedLength(10, { key: 11 }),
    'fixedLength(10, { key }): expected a whole number of bytes from 0 to 10, got 11',
  ],
  [
    () => Reflect.apply(words, undefined, [{ separatedBy: 'vowels' }]),
    "words({ separatedBy }): expected 'punctuation' or 'whitespace', got \"vowels\"",
  ],
  [() => topK(0), 'topK(k): expected a whole number from 1, got 0'],
  [() => csv({ delimiter: '::' }), 'csv({ delimiter }): expected one character'],
  [
    () => Reflect.apply(lines, undefined, [{ compression: 'lz4' }]),
    "lines({ compression }): expected 'gzip' or 'zstd', got \"lz4\"",
  ],
])('a format refuses what it cannot do (%#)', (make, message) => {
  expect(make).toThrow(message);
});
