import { describe, expect, it } from 'vitest';
import { encodeKeyToBytes } from '../../lib/codec/key-codec.ts';
import { MillraceError } from '../../lib/errors.ts';
import { toJobId } from '../../lib/ids.ts';
import type { UserJob } from '../../lib/user-job.ts';
import { TaskContext } from '../user/context.ts';
import { createProgress, progressAt } from '../user/progress.ts';
import { TaskFailure } from '../user/task-failure.ts';
import { type RecordBatch, rawRecord } from './record-batch.ts';
import { type PairSink, runMapper } from './run-mapper.ts';

class ArrayBatch implements RecordBatch<string> {
  readonly uri = 'file:///in/a.txt';
  readonly #records: readonly string[];
  #at = -1;

  constructor(records: readonly string[]) {
    this.#records = records;
  }

  next(): boolean {
    return ++this.#at < this.#records.length;
  }

  get record(): string {
    return this.#records[this.#at]!;
  }

  get offset(): number {
    return this.#at * 10;
  }

  raw() {
    return rawRecord(Buffer.from(this.record));
  }
}

async function* batchesOf(...batches: string[][]): AsyncGenerator<RecordBatch> {
  for (const records of batches) yield new ArrayBatch(records);
}

const attempt = { jobId: toJobId('j'), kind: 'map', index: 3, attempt: 0, epoch: 1 } as const;

async function mapAll(functions: Pick<UserJob, 'map' | 'mapEmit'>, batches: string[][], sink?: PairSink) {
  const progress = createProgress();
  const log: string[] = [];
  const context = new TaskContext({
    attempt,
    params: {},
    signal: new AbortController().signal,
    progress,
    log: (text) => log.push(text),
  });
  const pairs: unknown[] = [];
  const collect: PairSink = { emit: (key, value) => pairs.push([key, value]) };
  const job = functions as UserJob;
  const records = await runMapper(batchesOf(...batches), { job, context, progress, sink: sink ?? collect });
  return { pairs, records, progress, log };
}

async function failureOf(...args: Parameters<typeof mapAll>) {
  const thrown = await mapAll(...args).then(
    () => undefined,
    (error: unknown) => error,
  );
  if (thrown instanceof TaskFailure) return thrown.failure;
  throw new Error(`no TaskFailure but ${String(thrown)}`);
}

describe('runMapper', () => {
  it('without a map emits records that are pairs as they are, all others as the key of null', async () => {
    const { pairs, progress } = await mapAll({}, [['ab', 'c']]);
    expect(pairs).toEqual([
      ['ab', null],
      ['c', null],
    ]);
    expect(progress[progressAt.recordsOut]).toBe(2);
    const rows = [['k', 1], ['a', 'b', 'c'], ['d']] as unknown as string[];
    expect((await mapAll({}, [rows])).pairs).toEqual([
      ['k', 1],
      [['a', 'b', 'c'], null],
      [['d'], null],
    ]);
  });

  it('emits what a generator yields, in order, over batches', async () => {
    const { pairs, records, progress } = await mapAll(
      {
        *map(line) {
          for (const word of String(line).split(' ')) yield [word, 1];
        },
      },
      [['a b', 'c'], [], ['d']],
    );
    expect(pairs).toEqual([
      ['a', 1],
      ['b', 1],
      ['c', 1],
      ['d', 1],
    ]);
    expect(records).toBe(3);
    expect(progress[progressAt.recordsIn]).toBe(3);
    expect(progress[progressAt.recordsOut]).toBe(4);
  });

  it('waits for each record of an async generator before the next one', async () => {
    let running = 0;
    const { pairs } = await mapAll(
      {
        async *map(line) {
          expect(++running).toBe(1);
          await Promise.resolve();
          yield [line, 1];
          running--;
        },
      },
      [['a', 'b'], ['c']],
    );
    expect(pairs).toEqual([
      ['a', 1],
      ['b', 1],
      ['c', 1],
    ]);
  });

  it('runs mapEmit, synchronous and async in one job', async () => {
    const { pairs } = await mapAll(
      {
        mapEmit(line, emit) {
          if (line !== 'later') return emit(line, 1);
          return Promise.resolve().then(() => emit(line, 2));
        },
      },
      [['now', 'later', 'now']],
    );
    expect(pairs).toEqual([
      ['now', 1],
      ['later', 2],
      ['now', 1],
    ]);
  });

  it('tells user code where the current record starts, only when asked', async () => {
    const { pairs } = await mapAll(
      {
        *map(line, ctx) {
          yield [line, ctx.source];
        },
      },
      [['a', 'b']],
    );
    expect(pairs[1]).toEqual(['b', { uri: 'file:///in/a.txt', offset: 10 }]);
  });

  it('names the record and the function when user code throws', async () => {
    const failure = await failureOf(
      {
        *map(line) {
          if (line === 'bad') throw new RangeError('no such thing');
          yield [line, 1];
        },
      },
      [['a', 'bad']],
    );
    expect(failure).toMatchObject({
      kind: 'user-error',
      name: 'RangeError',
      message: 'no such thing',
      where: 'map',
      record: 'file:///in/a.txt, byte offset 10',
    });
  });

  it.each([
    ['a string', 'x', 'map yielded "x"; it must yield [key, value] pairs'],
    ['three values', [1, 2, 3], 'map yielded [1,2,3]'],
    ['nothing', undefined, 'map yielded undefined'],
  ])('refuses a yield of %s by its value', async (_, yielded, message) => {
    const map = function* () {
      yield yielded;
    };
    const failure = await failureOf({ map: map as unknown as NonNullable<UserJob['map']> }, [['a']]);
    expect(failure).toMatchObject({ kind: 'user-error', message: expect.stringContaining(message) });
  });

  it('refuses a map that is no generator', async () => {
    const failure = await failureOf({ map: (() => 5) as never }, [['a']]);
    expect(failure.message).toContain('map returned 5; it must be a generator');
  });

  it('blames the job for a key that cannot be encoded, but not for a full disk', async () => {
    const encoding: PairSink = { emit: (key) => void encodeKeyToBytes(key) };
    const job = {
      *map(): Generator<readonly [unknown, unknown]> {
        yield [{ an: 'object' }, 1];
      },
    };
    expect(await failureOf(job, [['a']], encoding)).toMatchObject({ kind: 'user-error', where: 'map' });
    const full: PairSink = {
      emit() {
        throw new MillraceError('no-space', 'disk full');
      },
    };
    await expect(mapAll(job, [['a']], full)).rejects.toMatchObject({ code: 'no-space' });
  });

  it('fails on a full disk even when mapEmit swallows the exception', async () => {
    const full: PairSink = {
      emit() {
        throw new MillraceError('no-space', 'disk full');
      },
    };
    const mapEmit: NonNullable<UserJob['mapEmit']> = (line, emit) => {
      try {
        emit(line, 1);
      } catch (error) {
        expect(error).toBeInstanceOf(MillraceError);
      }
    };
    await expect(mapAll({ mapEmit }, [['a']], full)).rejects.toMatchObject({ code: 'no-space' });
  });

  it('waits for a sink that asks for it, between batches', async () => {
    const events: string[] = [];
    const sink: PairSink = {
      emit: (key) => events.push(`emit ${String(key)}`),
      async drain() {
        await Promise.resolve();
        events.push('drained');
      },
    };
    const job = {
      *map(line: unknown): Generator<readonly [unknown, unknown]> {
        yield [line, 1];
      },
    };
    await mapAll(job, [['a', 'b'], ['c']], sink);
    expect(events).toEqual(['emit a', 'emit b', 'drained', 'emit c', 'drained']);
  });
});
