import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { recordOfPair } from '../../lib/codec/decode-pair.ts';
import { encodeKeyToBytes, type Key } from '../../lib/codec/key-codec.ts';
import { PairCursor, pairBytes, writePair } from '../../lib/codec/pair.ts';
import { encodeValueToBytes } from '../../lib/codec/value-codec.ts';
import { MillraceError } from '../../lib/errors.ts';
import { toJobId } from '../../lib/ids.ts';
import type { UserJob } from '../../lib/user-job.ts';
import { TaskContext } from '../user/context.ts';
import { createProgress, progressAt } from '../user/progress.ts';
import { type RecordSink, runReducer } from './run-reducer.ts';

type Pair = readonly [Key, unknown];

function streamOf(pairs: readonly Pair[]): PairCursor {
  const encoded = pairs.map(([key, value]) => [encodeKeyToBytes(key), encodeValueToBytes(value)] as const);
  const bytes = Buffer.alloc(
    encoded.reduce((sum, [key, value]) => sum + pairBytes(key.length, value.length), 0),
  );
  let at = 0;
  for (const [key, value] of encoded) at = writePair(bytes, at, key, value);
  return new PairCursor(bytes);
}

const attempt = { jobId: toJobId('j'), kind: 'reduce', index: 0, attempt: 0, epoch: 1 } as const;

async function reduceAll(job: Partial<UserJob>, pairs: readonly Pair[], given?: RecordSink) {
  const progress = createProgress();
  const context = new TaskContext({
    attempt,
    params: {},
    signal: new AbortController().signal,
    progress,
    log: () => undefined,
  });
  const records: unknown[] = [];
  const collect: RecordSink = {
    write: (record) => void records.push(record),
    writePair: (pair) => void records.push(recordOfPair(pair)),
  };
  await runReducer(streamOf(pairs), { job: job as UserJob, context, progress, sink: given ?? collect });
  return { records, progress };
}

const two: readonly Pair[] = [
  ['a', 1],
  ['a', 2],
  ['b', 3],
];

describe('runReducer', () => {
  it('gives each key once with all its values, whatever the reducer leaves unread', async () => {
    const pair = fc.tuple(fc.constantFrom('', 'a', 'aa', 'b', 'ü'), fc.integer({ min: 0, max: 9 }));
    const sorted = fc.array(pair).map((pairs) => {
      const order = (key: string) => encodeKeyToBytes(key);
      return pairs.sort((a, b) => Buffer.compare(order(a[0]), order(b[0])));
    });
    await fc.assert(
      fc.asyncProperty(sorted, fc.nat(4), async (pairs, readMax) => {
        const { records, progress } = await reduceAll(
          {
            *reduce(key, values) {
              const read: unknown[] = [];
              if (readMax > 0)
                for (const value of values) {
                  read.push(value);
                  if (read.length === readMax) break;
                }
              yield [key, read];
            },
          },
          pairs,
        );
        const groups = new Map<string, number[]>();
        for (const [key, value] of pairs) groups.set(key, [...(groups.get(key) ?? []), value]);
        expect(records).toEqual([...groups].map(([key, values]) => [key, values.slice(0, readMax)]));
        expect(progress[progressAt.recordsIn]).toBe(pairs.length);
      }),
    );
  });

  it('passes pairs through without a reduce', async () => {
    expect((await reduceAll({}, two)).records).toEqual([
      ['a', 1],
      ['a', 2],
      ['b', 3],
    ]);
  });

  it('runs aggregators without user code', async () => {
    const reduce = { kind: 'aggregator', op: 'sum' } as const;
    expect((await reduceAll({ reduce }, two)).records).toEqual([
      ['a', 3],
      ['b', 3],
    ]);
  });

  it('counts values, but adds up counts when the combiner counted already', async () => {
    const count = { kind: 'aggregator', op: 'count' } as const;
    expect((await reduceAll({ reduce: count }, two)).records).toEqual([
      ['a', 2],
      ['b', 1],
    ]);
    expect((await reduceAll({ reduce: count, combine: count }, two)).records).toEqual([
      ['a', 3],
      ['b', 3],
    ]);
  });

  it('gives results that are no numbers, and keys of any length, as they are', async () => {
    const pairs: Pair[] = [
      ['a'.repeat(300), 3n],
      [[1, 'x'], 'v'],
    ];
    const first = { kind: 'aggregator', op: 'first' } as const;
    expect((await reduceAll({ reduce: first }, pairs)).records).toEqual(pairs);
    const count = { kind: 'aggregator', op: 'count' } as const;
    expect((await reduceAll({ reduce: count }, pairs)).records).toEqual(pairs.map(([key]) => [key, 1]));
  });

  it('names the key of the pair that the output refuses, and waits while the output is full', async () => {
    let written = 0;
    const gate = Promise.withResolvers<void>();
    const write = () => {
      if (++written === 3) throw new MillraceError('not-encodable', 'no');
      return written === 2 ? gate.promise : undefined;
    };
    const running = reduceAll({}, two, { write, writePair: write });
    await Promise.resolve();
    expect(written).toBe(2);
    gate.resolve();
    await expect(running).rejects.toMatchObject({ failure: { message: 'no', record: 'key "b"' } });
  });

  it('runs async generators', async () => {
    const job = {
      async *reduce(key: unknown, values: Iterable<unknown>) {
        await Promise.resolve();
        yield [key, [...values]];
      },
    };
    expect((await reduceAll(job, two)).records).toEqual([
      ['a', [1, 2]],
      ['b', [3]],
    ]);
  });

  it('names the key when user code throws, and what was wrong with the return value', async () => {
    const thrower = {
      *reduce(key: unknown) {
        if (key === 'b') throw new TypeError('oh');
        yield 1;
      },
    };
    await expect(reduceAll(thrower, two)).rejects.toMatchObject({
      failure: { kind: 'user-error', name: 'TypeError', where: 'reduce', record: 'key "b"' },
    });
    await expect(reduceAll({ reduce: (() => 7) as never }, two)).rejects.toMatchObject({
      failure: { message: expect.stringContaining('reduce returned 7; it must be a generator') },
    });
  });

  it('refuses values that outlive their call, and a second walk over them', async () => {
    let kept: Iterable<unknown> | undefined;
    const keeper = {
      *reduce(_key: unknown, values: Iterable<unknown>) {
        if (kept) yield [...kept];
        kept = values;
      },
    };
    await expect(reduceAll(keeper, two)).rejects.toMatchObject({
      failure: { message: expect.stringContaining('after the reduce call') },
    });
    const twice = {
      *reduce(_key: unknown, values: Iterable<unknown>) {
        yield [...values].length + [...values].length;
      },
    };
    await expect(reduceAll(twice, two)).rejects.toMatchObject({
      failure: { message: expect.stringContaining('the values of key "a" were read to the end already') },
    });
  });

  it('stops pulling from the reducer while the output is full', async () => {
    let pulled = 0;
    let written = 0;
    const gate = Promise.withResolvers<void>();
    const write = () => (++written === 2 ? gate.promise : undefined);
    const sink: RecordSink = { write, writePair: write };
    const job = {
      *reduce() {
        while (pulled < 5) yield ++pulled;
      },
    };
    const running = reduceAll(job, [['a', 1]], sink);
    await Promise.resolve();
    expect(pulled).toBe(2);
    gate.resolve();
    await running;
    expect(written).toBe(5);
  });
});
