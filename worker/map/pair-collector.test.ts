import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { AggregatorData } from '../../lib/aggregator.ts';
import { decodeKey, encodeKeyToBytes } from '../../lib/codec/key-codec.ts';
import { decodeValue, encodeValueToBytes } from '../../lib/codec/value-codec.ts';
import { limits } from '../../lib/limits.ts';
import { MergeCursor } from '../shuffle/merge.ts';
import { RunReader } from '../shuffle/run-file.ts';
import type { CombineFunction } from './combine.ts';
import { createMapOutput, type PairCollectorOptions } from './pair-collector.ts';
import { createPartitioner } from './partition.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'pair-collector-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

type Pair = readonly [key: string | number, value: unknown];
const tiny = { sortBufferBytes: 4096, combineTableBytes: 1, mergeFanInMax: 3 };
const aggregator = (op: AggregatorData['op'], merge?: (a: never, b: never) => unknown): AggregatorData => ({
  kind: 'aggregator',
  op,
  ...(merge && { merge }),
});

function createOutput(options: Partial<PairCollectorOptions> = {}) {
  return createMapOutput({
    directory,
    fileName: 'out',
    partitions: 4,
    partitioning: { kind: 'hash' },
    ...options,
  });
}

/** Emits, finishes, and reads back the pairs of each partition, checking every count on the way. */
function collect(pairs: readonly Pair[], options: Partial<PairCollectorOptions> = {}) {
  const output = createOutput(options);
  for (const [key, value] of pairs) output.emit(key, value);
  const summary = output.finish();
  expect(summary.emittedRecords).toBe(pairs.length);
  expect(readdirSync(directory)).toEqual(['out']);
  using reader = new RunReader(summary.path);
  const partitions = summary.segments.map((counts, partition) => {
    const segment = reader.segment(partition);
    expect({ bytes: counts.bytes, records: counts.records, crc32: counts.crc32 }).toEqual({
      bytes: segment.bytes,
      records: segment.records,
      crc32: segment.crc32,
    });
    using cursor = new MergeCursor([
      { kind: 'file', name: 'out', path: summary.path, offset: segment.offset, counts },
    ]);
    const read: Pair[] = [];
    while (cursor.advance()) {
      const key = decodeKey(cursor.bytes, cursor.keyStart, cursor.keyEnd) as string;
      read.push([key, decodeValue(cursor.bytes, cursor.valueStart, cursor.valueEnd)]);
    }
    return read;
  });
  return { partitions, spills: summary.spills, file: readFileSync(summary.path) };
}

/** The slow truth: partitions of pairs by key, then order of emitting; combined by `combine` if given. */
function expected(pairs: readonly Pair[], partitions: number, combine?: (values: unknown[]) => unknown) {
  const partitioner = createPartitioner({ kind: 'hash' }, partitions);
  const lists: { bytes: Buffer; key: Pair[0]; value: unknown; position: number }[][] = Array.from(
    { length: partitions },
    () => [],
  );
  pairs.forEach(([key, value], position) => {
    const bytes = encodeKeyToBytes(key);
    lists[partitioner(bytes, 0, bytes.length, key)]!.push({ bytes, key, value, position });
  });
  return lists.map((list) => {
    list.sort((a, b) => Buffer.compare(a.bytes, b.bytes) || a.position - b.position);
    if (!combine) return list.map(({ key, value }): Pair => [key, value]);
    const groups = Map.groupBy(list, ({ key }) => key);
    return [...groups].map(([key, group]): Pair => [key, combine(group.map(({ value }) => value))]);
  });
}

const key = fc.oneof(
  fc.string({ maxLength: 2 }),
  fc.constantFrom('the', 'a word of more than 16 bytes', 'Straße', 7, -1.5),
  fc.integer({ min: 0, max: 99 }).map((index) => `key-${index}`),
);
const drawPairs = (value: fc.Arbitrary<unknown>) => fc.array(fc.tuple(key, value), { maxLength: 600 });
const partitionCount = fc.integer({ min: 1, max: 20 });
const integer = fc.integer({ min: -1_000_000, max: 1_000_000 });

describe('createMapOutput', () => {
  it('without a combiner writes every pair once, by partition, key and order of emitting, through any number of spills', () => {
    const value = fc.oneof(
      { weight: 8, arbitrary: fc.string() },
      { weight: 1, arbitrary: fc.constant('v'.repeat(6000)) },
    );
    // What chance may not draw: more spills than one merge takes.
    const large = Array.from({ length: 100 }, (_, index): Pair => [`key-${index % 7}`, 'v'.repeat(6000)]);
    let spilled = 0;
    fc.assert(
      fc.property(drawPairs(value), partitionCount, (pairs, partitions) => {
        const small = collect(pairs, { partitions, ...tiny });
        expect(small.partitions).toEqual(expected(pairs, partitions));
        spilled = Math.max(spilled, small.spills);
        // The bytes do not depend on how memory was cut.
        expect(collect(pairs, { partitions }).file).toEqual(small.file);
      }),
      { numRuns: 40, examples: [[large, 3]] },
    );
    expect(spilled).toBeGreaterThan(tiny.mergeFanInMax);
  });

  const add = (values: unknown[]) => (values as number[]).reduce((sum, each) => sum + each);
  it.each([
    ['sum', aggregator('sum'), add],
    ['count', aggregator('count'), (values: unknown[]) => values.length],
    ['min', aggregator('min'), (values: unknown[]) => Math.min(...(values as number[]))],
    ['max', aggregator('max'), (values: unknown[]) => Math.max(...(values as number[]))],
    ['first', aggregator('first'), (values: unknown[]) => values[0]],
    ['fold', aggregator('fold', (a: number, b: number) => a + b), add],
    [
      'a generator',
      function* (each, values) {
        yield [each, add([...values])];
      } as CombineFunction,
      add,
    ],
  ] as const)('combines to one pair per key with %s, however often it spills', (_name, combine, slow) => {
    fc.assert(
      fc.property(drawPairs(integer), partitionCount, (pairs, partitions) => {
        const slowly = expected(pairs, partitions, slow);
        expect(collect(pairs, { partitions, combine }).partitions).toEqual(slowly);
        expect(collect(pairs, { partitions, combine, ...tiny }).partitions).toEqual(slowly);
      }),
      { numRuns: 25 },
    );
  });

  it('drains a full table as often as needed, and gives it up for keys that hardly repeat', () => {
    const pairs = Array.from(
      { length: 9000 },
      (_, index): Pair => [`key ${index % 3000} ${'x'.repeat(index % 30)}`, index],
    );
    const repeated = Array.from({ length: 9000 }, (_, index): Pair => [`w${Math.floor(index / 4)}`, index]);
    for (const list of [pairs, repeated]) {
      const { partitions, spills } = collect(list, { combine: aggregator('sum'), ...tiny });
      expect(partitions).toEqual(expected(list, 4, add));
      expect(spills).toBeGreaterThan(3);
    }
  });

  it('keeps sums exact up to 2^53 and encodes them as any value', () => {
    const half = 2 ** 52;
    const { partitions, file } = collect(
      [
        ['a', half],
        ['a', half - 1],
        ['b', 100],
        ['b', 27],
        ['c', 0.1],
        ['c', 0.2],
      ],
      { partitions: 1, combine: aggregator('sum') },
    );
    expect(partitions).toEqual([
      [
        ['a', 2 ** 53 - 1],
        ['b', 127],
        ['c', 0.1 + 0.2],
      ],
    ]);
    for (const value of [2 ** 53 - 1, 127, 0.1 + 0.2])
      expect(file.includes(encodeValueToBytes(value))).toBe(true);
  });

  it('moves on from numbers to bigints and strings', () => {
    expect(
      collect(
        [
          ['n', 1],
          ['b', 2n],
          ['b', 3n],
          ['n', 4],
        ],
        { partitions: 1, combine: aggregator('sum') },
      ).partitions,
    ).toEqual([
      [
        ['b', 5n],
        ['n', 5],
      ],
    ]);
    expect(
      collect(
        [
          ['a', 'y'],
          ['a', 'x'],
        ],
        { partitions: 1, combine: aggregator('min') },
      ).partitions,
    ).toEqual([[['a', 'x']]]);
    expect(
      collect(
        [
          ['a', { any: 1 }],
          ['a', null],
          ['a', 7],
        ],
        { partitions: 1, combine: aggregator('count') },
      ).partitions,
    ).toEqual([[['a', 3]]]);
    expect(() =>
      collect(
        [
          ['a', 1],
          ['a', 2n],
        ],
        { combine: aggregator('sum') },
      ),
    ).toThrow('sum cannot bring together a number and a bigint');
    expect(() => createOutput({ combine: aggregator('sum') }).emit('a', 'text')).toThrow(
      'sum works on values of type number, bigint; a string was emitted',
    );
  });

  it('gives keys to the partitions that a custom function or cut points name, with a combiner too', () => {
    const pairs: Pair[] = [
      ['b', 1],
      ['a', 2],
      ['c', 3],
      ['b', 4],
    ];
    const custom = { kind: 'custom', partition: (each: unknown) => (each === 'b' ? 2 : 0) } as const;
    const range = { kind: 'range', cuts: [encodeKeyToBytes('b'), encodeKeyToBytes('c')] } as const;
    expect(
      collect(pairs, { partitions: 3, partitioning: custom, combine: aggregator('sum') }).partitions,
    ).toEqual([
      [
        ['a', 2],
        ['c', 3],
      ],
      [],
      [['b', 5]],
    ]);
    expect(collect(pairs, { partitions: 3, partitioning: range }).partitions).toEqual([
      [['a', 2]],
      [
        ['b', 1],
        ['b', 4],
      ],
      [['c', 3]],
    ]);
    const wrong = { kind: 'custom', partition: () => 3 } as const;
    expect(() => collect(pairs, { partitions: 3, partitioning: wrong })).toThrow(
      'partition returned 3; it must return an integer from 0 to 2',
    );
  });

  it('hands a generator its values lazily and passes over those it leaves', () => {
    const pairs = Array.from({ length: 50 }, (_, index): Pair => [index % 2 ? 'odd' : 'even', index]);
    let kept: Iterable<unknown> = [];
    const combine: CombineFunction = function* (each, values) {
      kept = values;
      for (const value of values) {
        yield [each, value];
        if (value === 4 || value === 5) break;
      }
    };
    expect(collect(pairs, { partitions: 1, combine }).partitions).toEqual([
      [
        ['even', 0],
        ['even', 2],
        ['even', 4],
        ['odd', 1],
        ['odd', 3],
        ['odd', 5],
      ],
    ]);
    expect([...kept]).toEqual([]);
  });

  it('refuses a combiner that changes the key, is async, or yields what is no value', () => {
    const run = (combine: CombineFunction) => () =>
      collect(
        [
          ['a', 1],
          ['a', 2],
        ],
        { combine },
      );
    expect(
      run(function* () {
        yield ['other', 1];
      }),
    ).toThrow('combine yielded the key "other" for the key "a"; a combiner must keep the key');
    expect(
      run(async function* () {
        yield ['a', 1];
      } as never),
    ).toThrow('combine must be a generator');
    expect(
      run(function* (each) {
        yield [each, new Map()];
      }),
    ).toThrow('value of type object (Map)');
  });

  it('refuses a pair over the limit by name and leaves no file behind when it is aborted', () => {
    const output = createOutput(tiny);
    for (let index = 0; index < 500; index++) output.emit(`key-${index}`, 'value');
    expect(readdirSync(directory).length).toBeGreaterThan(1);
    expect(() => output.emit('big', new Uint8Array(limits.pairBytesMax))).toThrow(
      `over the limit of ${limits.pairBytesMax}`,
    );
    output.abort();
    expect(readdirSync(directory)).toEqual([]);
    const finished = createOutput();
    finished.emit('a', 1);
    const { path } = finished.finish();
    expect(existsSync(path)).toBe(true);
    finished.abort();
    expect(existsSync(path)).toBe(false);
  });

  it('makes a whole file of nothing', () => {
    expect(collect([], { partitions: 3 }).partitions).toEqual([[], [], []]);
    expect(collect([], { partitions: 3, combine: aggregator('sum') }).partitions).toEqual([[], [], []]);
  });
});
