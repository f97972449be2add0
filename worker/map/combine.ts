/**
 * Combining of sorted pairs on their way into a run: all values of a key become fewer. Runs at every spill and merge, so it must be
 * right however often it is applied: aggregators merge states that were lifted when emitted, functions combine what they yielded.
 */
import { type AggregatorData, type AggregatorState, aggregatorState } from '../../lib/aggregator.ts';
import { decodeKey, encodeKeyToBytes } from '../../lib/codec/key-codec.ts';
import { compareBytes, type PartitionedPairs, writePairHeader } from '../../lib/codec/pair.ts';
import { decodeValue, encodeValue } from '../../lib/codec/value-codec.ts';
import { varintBytes } from '../../lib/codec/varint.ts';
import { MillraceError } from '../../lib/errors.ts';
import { checkLimit, limits } from '../../lib/limits.ts';
import type { RunWriter } from '../shuffle/run-file.ts';

/** A combiner of a job: yields pairs of the key that it was given. `values` can be walked once, and only while it runs. */
export type CombineFunction = (
  key: unknown,
  values: Iterable<unknown>,
) => Iterable<readonly [unknown, unknown]>;

export type Combiner =
  | { readonly kind: 'aggregator'; readonly state: AggregatorState }
  | { readonly kind: 'function'; readonly combine: CombineFunction };

export function createCombiner(combine: AggregatorData | CombineFunction): Combiner {
  if (typeof combine === 'function') return { kind: 'function', combine };
  return { kind: 'aggregator', state: aggregatorState(combine) };
}

/** Writes sorted pairs to a run, combined if there is a combiner. Throws what the combiner throws, and what it yields wrongly. */
export function writePairs(pairs: PartitionedPairs, writer: RunWriter, combiner: Combiner | undefined): void {
  if (combiner === undefined) {
    while (pairs.advance()) writer.append(pairs.partition, pairs.bytes, pairs.pairStart, pairs.valueEnd);
    return;
  }
  const groups = new Groups(pairs);
  const built = new PairBuilder(writer);
  if (combiner.kind === 'aggregator') writeAggregated(groups, built, combiner.state, writer);
  else writeCombined(groups, built, combiner.combine);
}

function writeAggregated(
  groups: Groups,
  built: PairBuilder,
  state: AggregatorState,
  writer: RunWriter,
): void {
  while (groups.nextGroup()) {
    const { first } = groups;
    if (!groups.advance()) {
      writer.append(groups.partition, first.bytes, 0, first.end);
      continue;
    }
    let merged: unknown = decodeValue(first.bytes, first.keyEnd, first.end);
    do merged = state.merge(merged, groups.value());
    while (groups.advance());
    built.write(groups.partition, first, merged);
  }
}

function writeCombined(groups: Groups, built: PairBuilder, combine: CombineFunction): void {
  while (groups.nextGroup()) {
    const { first, partition } = groups;
    const key = decodeKey(first.bytes, first.keyStart, first.keyEnd);
    const values = groups.values();
    const yielded: unknown = combine(key, values);
    if (typeof yielded !== 'object' || yielded === null || !(Symbol.iterator in yielded)) {
      throw new MillraceError(
        'invalid-argument',
        'combine must be a generator that yields [key, value], not async',
      );
    }
    for (const pair of yielded as Iterable<readonly [unknown, unknown]>) {
      const [outKey, value] = pair;
      if (outKey !== key) checkSameKey(outKey, first);
      built.write(partition, first, value);
    }
    groups.skip(values);
  }
}

function checkSameKey(outKey: unknown, first: HeldPair): void {
  const bytes = encodeKeyToBytes(outKey);
  if (compareBytes(bytes, 0, bytes.length, first.bytes, first.keyStart, first.keyEnd) === 0) return;
  const show = (key: unknown) => (typeof key === 'string' ? JSON.stringify(key) : String(key)).slice(0, 80);
  const key = decodeKey(first.bytes, first.keyStart, first.keyEnd);
  throw new MillraceError(
    'invalid-argument',
    `combine yielded the key ${show(outKey)} for the key ${show(key)}; a combiner must keep the key`,
  );
}

/** A copy of one framed pair, at the start of bytes of its own. */
class HeldPair {
  bytes = Buffer.allocUnsafeSlow(1024);
  keyStart = 0;
  keyEnd = 0;
  end = 0;

  hold(pairs: PartitionedPairs): void {
    const { bytes, pairStart, valueEnd } = pairs;
    this.end = valueEnd - pairStart;
    if (this.end > this.bytes.length) this.bytes = Buffer.allocUnsafeSlow(this.end * 2);
    bytes.copy(this.bytes, 0, pairStart, valueEnd);
    this.keyStart = pairs.keyStart - pairStart;
    this.keyEnd = pairs.keyEnd - pairStart;
  }
}

/** Cuts a stream of sorted pairs where the key or the partition changes. The first pair of a group is held, the rest streams. */
class Groups {
  readonly #pairs: PartitionedPairs;
  readonly first = new HeldPair();
  partition = 0;
  /** The pair after the current group has been reached, or the end. */
  #ahead: boolean;
  #more = true;

  constructor(pairs: PartitionedPairs) {
    this.#pairs = pairs;
    this.#more = pairs.advance();
    this.#ahead = true;
  }

  /** Moves to the first pair of the next group; the last one must have been advanced to its end. */
  nextGroup(): boolean {
    if (!this.#more) return false;
    this.first.hold(this.#pairs);
    this.partition = this.#pairs.partition;
    this.#ahead = false;
    return true;
  }

  /** Moves to the next pair of the group; false at its end. */
  advance(): boolean {
    if (this.#ahead) return false;
    const { first } = this;
    const pairs = this.#pairs;
    this.#more = pairs.advance();
    if (this.#more && pairs.partition === this.partition && this.#hasKey(first)) return true;
    this.#ahead = true;
    return false;
  }

  /** Of the pair that `advance` moved to. */
  value(): unknown {
    return decodeValue(this.#pairs.bytes, this.#pairs.valueStart, this.#pairs.valueEnd);
  }

  /** All values of the group, once. */
  values(): GroupValues {
    return new GroupValues(this);
  }

  /** Passes over the values that the combiner left, and ends the iterator, should it have kept it. */
  skip(values: GroupValues): void {
    while (this.advance());
    values.close();
  }

  #hasKey(first: HeldPair): boolean {
    const { bytes, keyStart, keyEnd } = this.#pairs;
    return (
      keyEnd - keyStart === first.keyEnd - first.keyStart &&
      compareBytes(bytes, keyStart, keyEnd, first.bytes, first.keyStart, first.keyEnd) === 0
    );
  }
}

class GroupValues implements IterableIterator<unknown> {
  #groups: Groups | undefined;
  #started = false;

  constructor(groups: Groups) {
    this.#groups = groups;
  }

  [Symbol.iterator](): this {
    return this;
  }

  next(): IteratorResult<unknown> {
    const groups = this.#groups;
    if (groups === undefined) return { done: true, value: undefined };
    if (!this.#started) {
      this.#started = true;
      const { first } = groups;
      return { done: false, value: decodeValue(first.bytes, first.keyEnd, first.end) };
    }
    if (groups.advance()) return { done: false, value: groups.value() };
    this.close();
    return { done: true, value: undefined };
  }

  close(): void {
    this.#groups = undefined;
  }
}

const headerBytesMax = 10;

/** Frames a new value under an old key and appends it to the run. */
class PairBuilder {
  readonly #writer: RunWriter;
  #bytes = Buffer.allocUnsafeSlow(4096);

  constructor(writer: RunWriter) {
    this.#writer = writer;
  }

  write(partition: number, key: HeldPair, value: unknown): void {
    const keyBytes = key.keyEnd - key.keyStart;
    const keyEnd = headerBytesMax + keyBytes;
    const valueEnd = this.#encode(value, keyEnd);
    const valueBytes = valueEnd - keyEnd;
    checkLimit('a combined pair, in bytes,', keyBytes + valueBytes, limits.pairBytesMax, combineSetting);
    key.bytes.copy(this.#bytes, headerBytesMax, key.keyStart, key.keyEnd);
    const start = headerBytesMax - varintBytes(keyBytes) - varintBytes(valueBytes);
    writePairHeader(this.#bytes, start, keyBytes, valueBytes);
    this.#writer.append(partition, this.#bytes, start, valueEnd);
  }

  /** Encodes at `at`, in larger bytes if these are too small. */
  #encode(value: unknown, at: number): number {
    for (;;) {
      const end = at < this.#bytes.length ? encodeValue(value, this.#bytes, at) : -1;
      if (end >= 0) return end;
      const size = this.#bytes.length;
      checkLimit('a combined pair, in bytes,', size, limits.pairBytesMax * 2, combineSetting);
      this.#bytes = Buffer.allocUnsafeSlow(size * 2);
    }
  }
}

const combineSetting = 'let combine yield smaller values, or leave it out';
