/**
 * Calls the job's map (or mapEmit) on every record of a split and hands what it yields to a sink; without either, the records themselves. While user code is synchronous
 * no promise is made per record; a record whose result is async is waited for before the next one.
 */
import type { BadRecordLine } from '../../lib/bad-records.ts';
import { MillraceError } from '../../lib/errors.ts';
import { isAsyncIterable, isIterable } from '../../lib/iterables.ts';
import type { UserJob } from '../../lib/user-job.ts';
import type { TaskContext } from '../user/context.ts';
import { type Progress, progressAt } from '../user/progress.ts';
import { show } from '../user/show.ts';
import { blameUser, TaskFailure } from '../user/task-failure.ts';
import type { MalformedRecord, RecordBatch } from './record-batch.ts';
import { type RecordSpans, spansMax } from './record-spans.ts';

/** Where emitted pairs go. */
export interface PairSink {
  emit(key: unknown, value: unknown): void;
  /** Asked after each batch of records; what it returns is waited for before the next. */
  drain?(): Promise<void> | undefined;
  /** Emits all records that were read and not taken yet, as a job without a map does; false, with none emitted, when it needs the records. */
  emitSpans?(spans: RecordSpans): boolean;
}

/** Records may be large, and a look at the heap takes microseconds. */
const recordsPerMemoryCheck = 256;

/** For a job that may skip records. */
export interface RecordGuard {
  /** Between the job and the sink: holds the pairs of a record until it is through. */
  readonly pairs: PairSink & {
    commit(): void;
    /** Drops what is held; false when some of the record's pairs have gone on already. */
    rollback(): boolean;
  };
  /** Takes note of a record that is left out. Throws when there are too many. */
  skip(record: SkippedRecord): Promise<void>;
}

export interface SkippedRecord extends Omit<MalformedRecord, 'reason'> {
  readonly error: BadRecordLine['error'];
}

export interface MapperOptions {
  readonly job: UserJob;
  readonly context: TaskContext;
  readonly progress: Progress;
  readonly sink: PairSink;
  readonly guard?: RecordGuard | undefined;
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
  readonly #guard: RecordGuard | undefined;
  readonly #bounds = new Int32Array(2 * spansMax);
  #batch: RecordBatch | undefined;
  /** The sink's own failure inside mapEmit, which user code may have caught. */
  #sinkFailure: { readonly thrown: unknown } | undefined;

  constructor(options: MapperOptions) {
    this.#job = options.job;
    this.#context = options.context;
    this.#progress = options.progress;
    this.#guard = options.guard;
    this.#sink = options.guard?.pairs ?? options.sink;
    this.#context.follow(() => ({ uri: this.#batch?.uri ?? '', offset: this.#batch?.offset ?? 0 }));
  }

  async run(batch: RecordBatch): Promise<void> {
    this.#batch = batch;
    if (!this.#runSpans(batch)) await this.#runBatch(batch);
    const drained = this.#sink.drain?.();
    if (drained) await drained;
  }

  async #runBatch(batch: RecordBatch): Promise<void> {
    try {
      for (;;) {
        const waiting = this.#guard ? this.#runGuarded(batch, this.#guard) : this.#runRecords(batch);
        if (waiting === undefined) break;
        await waiting;
        this.#context.signal.throwIfAborted();
      }
    } catch (thrown) {
      throw this.#blame(thrown, batch);
    }
  }

  #blame(thrown: unknown, { uri, offset }: RecordBatch): unknown {
    return blameUser(thrown, 'map', placeOf(uri, offset));
  }

  /** False, with nothing emitted, when somebody is there who has to see records. */
  #runSpans(batch: RecordBatch): boolean {
    const { map, mapEmit } = this.#job;
    const sink = this.#sink;
    const spans = map || mapEmit || !sink.emitSpans ? undefined : batch.spans?.(this.#bounds);
    if (!spans) return false;
    try {
      for (let count = spans.readOn(); count > 0; count = spans.readOn()) {
        if (!sink.emitSpans!(spans)) return false;
        this.records += count;
        this.#progress[progressAt.recordsIn]! += count;
        this.#progress[progressAt.recordsOut]! += count;
        this.#context.checkMemory();
      }
      return true;
    } catch (thrown) {
      throw blameUser(thrown, 'map', placeOf(batch.uri, spans.offset));
    }
  }

  /** Runs records until the batch ends or one of them has to be waited for. */
  #runRecords(batch: RecordBatch): Promise<void> | undefined {
    while (batch.next()) {
      this.#count();
      const waiting = this.#runRecord(batch.record);
      if (waiting) return waiting;
    }
    return undefined;
  }

  /** The same, and what cannot be read or mapped is skipped, with all its pairs. */
  #runGuarded(batch: RecordBatch, guard: RecordGuard): Promise<void> | undefined {
    while (batch.next()) {
      this.#count();
      let waiting: Promise<void> | undefined;
      try {
        waiting = this.#runRecord(batch.record);
      } catch (thrown) {
        return this.#skip(thrown, batch, guard);
      }
      if (waiting) return this.#settle(waiting, batch, guard);
      guard.pairs.commit();
    }
    const malformed = batch.takeMalformed?.();
    if (!malformed) return undefined;
    this.#count();
    const { reason: message, ...place } = malformed;
    return guard.skip({ ...place, error: { name: 'MalformedRecord', message, stack: '' } });
  }

  async #settle(waiting: Promise<void>, batch: RecordBatch, guard: RecordGuard): Promise<void> {
    try {
      await waiting;
    } catch (thrown) {
      return this.#skip(thrown, batch, guard);
    }
    guard.pairs.commit();
  }

  async #skip(thrown: unknown, batch: RecordBatch, guard: RecordGuard): Promise<void> {
    this.#sinkFailure = undefined;
    const blamed = this.#blame(thrown, batch);
    const failure = blamed instanceof TaskFailure ? blamed.failure : undefined;
    const isOfRecord = failure?.kind === 'user-error' && !this.#context.signal.aborted;
    if (!isOfRecord || !guard.pairs.rollback()) throw blamed;
    const { uri, offset } = batch;
    const { name, message, stack } = failure;
    await guard.skip({ uri, offset, line: undefined, error: { name, message, stack }, raw: batch.raw() });
  }

  #runRecord(record: unknown): Promise<void> | undefined {
    if (this.#job.map) return this.#mapRecord(record);
    return this.#job.mapEmit ? this.#emitRecord(record) : this.#passRecord(record);
  }

  #passRecord(record: unknown): undefined {
    if (isPair(record)) this.#sink.emit(record[0], record[1]);
    else this.#sink.emit(record, null);
    this.#progress[progressAt.recordsOut]! += 1;
  }

  #mapRecord(record: unknown): Promise<void> | undefined {
    const sink = this.#sink;
    const progress = this.#progress;
    const pairs: unknown = this.#job.map!(record, this.#context);
    if (!isIterable(pairs)) return this.#asyncPairs(pairs);
    for (const pair of pairs) {
      if (!isPair(pair)) throw notAPair(pair);
      sink.emit(pair[0], pair[1]);
      progress[progressAt.recordsOut]! += 1;
    }
    return undefined;
  }

  #emitRecord(record: unknown): Promise<void> | undefined {
    const result: unknown = this.#job.mapEmit!(record, this.#emit, this.#context);
    this.#checkSink();
    return isThenable(result) ? Promise.resolve(result).then(() => this.#checkSink()) : undefined;
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

function placeOf(uri: string, offset: number): string {
  return `${uri}, byte offset ${offset}`;
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
