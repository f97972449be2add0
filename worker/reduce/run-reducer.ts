/**
 * Runs the job's reduce over the groups and hands what it yields to the output. Built-in aggregators run without calling user code;
 * a synchronous generator costs no promise per record; the output is waited for only when it asks for it.
 */
import { type AggregatorData, aggregatorState, isAggregator } from '../../lib/aggregator.ts';
import { recordOfPair } from '../../lib/codec/decode-pair.ts';
import type { EncodedPair, PairStream } from '../../lib/codec/pair.ts';
import { MillraceError } from '../../lib/errors.ts';
import { isAsyncIterable, isIterable } from '../../lib/iterables.ts';
import type { UserJob } from '../../lib/user-job.ts';
import type { TaskContext } from '../user/context.ts';
import { type Progress, progressAt } from '../user/progress.ts';
import { show, showKey } from '../user/show.ts';
import { blameUser } from '../user/task-failure.ts';
import { GroupCursor } from './group.ts';

/** Where output records go. */
export interface RecordSink {
  /** A promise when the caller should wait before it writes more. Throws for a record that the format cannot hold. */
  write(record: unknown): Promise<void> | undefined;
  /** The same for the record `[key, value]` of an encoded pair. */
  writePair(pair: EncodedPair): Promise<void> | undefined;
}

export interface ReducerOptions {
  readonly job: UserJob;
  readonly context: TaskContext;
  readonly progress: Progress;
  readonly sink: RecordSink;
}

/** How many groups, or pairs without a reduce, run between two looks at the abort signal and at the event loop. */
const groupsPerTurn = 4096;

/** A promise when more was written than the output takes at once: it is then waited for in the middle of a group. */
type Write = (record: unknown) => Promise<void> | undefined;
/** Runs one group; the promise, if any, is for its end. */
type GroupRun = (groups: GroupCursor) => Promise<void> | undefined;

/** Throws a user-error TaskFailure naming the key for what user code does wrong, and what the stream or the sink throws. */
export function runReducer(pairs: PairStream, options: ReducerOptions): Promise<void> {
  return options.job.reduce === undefined ? passThrough(pairs, options) : reduceGroups(pairs, options);
}

async function reduceGroups(pairs: PairStream, options: ReducerOptions): Promise<void> {
  const { context, progress } = options;
  const groups = new GroupCursor(pairs, progress, context.checkMemory);
  const run = chooseRun(options);
  for (let count = 1; groups.nextGroup(); count++) {
    try {
      const pending = run(groups);
      if (pending) await pending;
    } catch (thrown) {
      throw blameUser(thrown, 'reduce', `key ${showKey(groups.key)}`);
    }
    if (count % groupsPerTurn === 0) await yieldTurn(context.signal);
  }
}

/** No reduce: each pair is an output record. */
async function passThrough(pairs: PairStream, { context, progress, sink }: ReducerOptions): Promise<void> {
  for (let count = 1; pairs.advance(); count++) {
    progress[progressAt.recordsIn]! += 1;
    progress[progressAt.bytesIn]! += pairs.valueEnd - pairs.pairStart;
    try {
      const full = sink.writePair(pairs);
      progress[progressAt.recordsOut]! += 1;
      if (full) await full;
    } catch (thrown) {
      throw blameUser(thrown, 'reduce', `key ${showKey(recordOfPair(pairs)[0])}`);
    }
    if (count % groupsPerTurn === 0) await yieldTurn(context.signal);
  }
}

/** Lets a cancel come in between: user code that never waits would keep it out. */
async function yieldTurn(signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => setImmediate(resolve));
  signal.throwIfAborted();
}

function chooseRun({ job, context, progress, sink }: ReducerOptions): GroupRun {
  const { reduce } = job;
  const write: Write = (record) => {
    const full = sink.write(record);
    progress[progressAt.recordsOut]! += 1;
    return full;
  };
  if (isAggregator(reduce)) {
    const writePair = (pair: EncodedPair) => {
      const full = sink.writePair(pair);
      progress[progressAt.recordsOut]! += 1;
      return full;
    };
    return aggregate(reduce, isLifted(job, reduce), write, writePair);
  }
  return (groups) => {
    const records: unknown = reduce!.call(job, groups.key, groups.values(), context);
    if (isIterable(records)) return writeAll(records[Symbol.iterator](), write);
    if (isAsyncIterable(records)) return writeAllAsync(records, write);
    throw new MillraceError(
      'invalid-argument',
      `reduce returned ${show(records)}; it must be a generator (*reduce) that yields output records`,
    );
  };
}

/** The combiner has lifted the values when it is the same operation: then they are states, and lifting again would count twice. */
function isLifted(job: UserJob, reduce: AggregatorData): boolean {
  return isAggregator(job.combine) && job.combine.op === reduce.op;
}

/** Numbers, which most results are, are written without the key ever becoming a string. */
function aggregate(
  aggregator: AggregatorData,
  lifted: boolean,
  write: Write,
  writePair: (pair: EncodedPair) => Promise<void> | undefined,
): GroupRun {
  const { lift, merge } = aggregatorState(aggregator);
  return (groups) => {
    let state: unknown = lifted ? groups.takeValue() : lift(groups.takeValue());
    while (groups.hasValue) state = merge(state, lifted ? groups.takeValue() : lift(groups.takeValue()));
    return typeof state === 'number' ? writePair(groups.pairWith(state)) : write([groups.key, state]);
  };
}

/** Stays synchronous while the output keeps up. */
function writeAll(records: Iterator<unknown>, write: Write): Promise<void> | undefined {
  const full = writeSome(records, write);
  return full && writeRest(records, write, full);
}

async function writeRest(records: Iterator<unknown>, write: Write, full: Promise<void>): Promise<void> {
  for (let waiting: Promise<void> | undefined = full; waiting; waiting = writeSome(records, write)) {
    await waiting;
  }
}

/** Writes until the records or the room end. */
function writeSome(records: Iterator<unknown>, write: Write): Promise<void> | undefined {
  for (let next = records.next(); !next.done; next = records.next()) {
    const full = write(next.value);
    if (full) return full;
  }
  return undefined;
}

async function writeAllAsync(records: AsyncIterable<unknown>, write: Write): Promise<void> {
  for await (const record of records) {
    const full = write(record);
    if (full) await full;
  }
}
