/**
 * Calls the job's map (or mapEmit) on every record of a split and hands what it yields to a sink. While user code is synchronous
 * no promise is made per record; a record whose result is async is waited for before the next one.
 */
import { MillraceError } from '../../lib/errors.ts';
import { isAsyncIterable, isIterable } from '../../lib/iterables.ts';
import type { UserJob } from '../../lib/user-job.ts';
import type { TaskContext } from '../user/context.ts';
import { type Progress, progressAt } from '../user/progress.ts';
import { show } from '../user/show.ts';
import { blameUser } from '../user/task-failure.ts';
import type { RecordBatch } from './record-batch.ts';

/** Where emitted pairs go. */
export interface PairSink {
  emit(key: unknown, value: unknown): void;
  /** Asked after each batch of records; what it returns is waited for before the next. */
  drain?(): Promise<void> | undefined;
}

/** Records may be large, and a look at the heap takes microseconds. */
const recordsPerMemoryCheck = 256;

export interface MapperOptions {
  readonly job: UserJob;
  readonly context: TaskContext;
  readonly progress: Progress;
  readonly sink: PairSink;
}

/** Gives the number of records. Throws a user-error TaskFailure naming the record for what user code does wrong, and what reading or the sink throws. */
export async function runMapper(
  batches: AsyncIterable<RecordBatch>,
  options: MapperOptions,
): Promise<number> {
  const mapper = new Mapper(options);
  for await (const batch of batches) {
    options.context.signal.throwIfAborted();
    await mapper.run(batch);
  }
  return mapper.records;
}

class Mapper {
  records = 0;
  readonly #job: UserJob;
  readonly #context: TaskContext;
  readonly #progress: Progress;
  readonly #sink: PairSink;
  #batch: RecordBatch | undefined;
  /** The sink's own failure inside mapEmit, which user code may have caught. */
  #sinkFailure: { readonly thrown: unknown } | undefined;

  constructor(options: MapperOptions) {
    this.#job = options.job;
    this.#context = options.context;
    this.#progress = options.progress;
    this.#sink = options.sink;
    this.#context.follow(() => ({ uri: this.#batch?.uri ?? '', offset: this.#batch?.offset ?? 0 }));
  }

  async run(batch: RecordBatch): Promise<void> {
    this.#batch = batch;
    try {
      for (;;) {
        const waiting = this.#job.mapEmit ? this.#emitRecords(batch) : this.#mapRecords(batch);
        if (waiting === undefined) break;
        await waiting;
        this.#context.signal.throwIfAborted();
      }
    } catch (thrown) {
      throw blameUser(thrown, 'map', `${batch.uri}, byte offset ${batch.offset}`);
    }
    const drained = this.#sink.drain?.();
    if (drained) await drained;
  }

  /** Runs records until the batch ends or one of them has to be waited for. */
  #mapRecords(batch: RecordBatch): Promise<void> | undefined {
    const job = this.#job;
    const context = this.#context;
    const progress = this.#progress;
    const sink = this.#sink;
    while (batch.next()) {
      this.#count();
      const pairs: unknown = job.map!(batch.record, context);
      if (!isIterable(pairs)) return this.#asyncPairs(pairs);
      for (const pair of pairs) {
        if (!isPair(pair)) throw notAPair(pair);
        sink.emit(pair[0], pair[1]);
        progress[progressAt.recordsOut]! += 1;
      }
    }
    return undefined;
  }

  #emitRecords(batch: RecordBatch): Promise<void> | undefined {
    const job = this.#job;
    const context = this.#context;
    while (batch.next()) {
      this.#count();
      const result: unknown = job.mapEmit!(batch.record, this.#emit, context);
      this.#checkSink();
      if (isThenable(result)) return Promise.resolve(result).then(() => this.#checkSink());
    }
    return undefined;
  }

  readonly #emit = (key: unknown, value: unknown): void => {
    try {
      this.#sink.emit(key, value);
    } catch (thrown) {
      this.#sinkFailure = { thrown };
      throw thrown;
    }
    this.#progress[progressAt.recordsOut]! += 1;
  };

  #checkSink(): void {
    if (this.#sinkFailure) throw this.#sinkFailure.thrown;
  }

  #count(): void {
    this.#progress[progressAt.recordsIn]! += 1;
    if (++this.records % recordsPerMemoryCheck === 0) this.#context.checkMemory();
  }

  async #asyncPairs(pairs: unknown): Promise<void> {
    if (!isAsyncIterable(pairs)) {
      throw new MillraceError(
        'invalid-argument',
        `map returned ${show(pairs)}; it must be a generator (*map) that yields [key, value] pairs`,
      );
    }
    for await (const pair of pairs) {
      if (!isPair(pair)) throw notAPair(pair);
      this.#sink.emit(pair[0], pair[1]);
      this.#progress[progressAt.recordsOut]! += 1;
    }
  }
}

function isPair(pair: unknown): pair is readonly [unknown, unknown] {
  return Array.isArray(pair) && pair.length === 2;
}

function notAPair(pair: unknown): MillraceError {
  return new MillraceError('invalid-argument', `map yielded ${show(pair)}; it must yield [key, value] pairs`);
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value;
}
