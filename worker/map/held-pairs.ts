/**
 * The pairs of one record, held until it is through: for jobs that may skip records, where a record counts whole or not at all. What
 * emitting a pair could throw is thrown when it is held, so that handing it on later cannot fail because of the record.
 */
import { type AggregatorData, aggregatorState } from '../../lib/aggregator.ts';
import { decodeKey, encodeKey, encodeKeyToBytes } from '../../lib/codec/key-codec.ts';
import { decodeValue, encodeValue } from '../../lib/codec/value-codec.ts';
import type { OutputFormat } from '../../lib/formats.ts';
import { limits } from '../../lib/limits.ts';
import { createEncoder } from '../../lib/output/encode-record.ts';
import { jsonText } from '../../lib/output/json-text.ts';
import { createPartitioner, type Partitioning } from './partition.ts';
import type { PairSink } from './run-mapper.ts';
import { pairTooLarge } from './sort-buffer.ts';

/** A pair that nobody can change any more: emitted later, it is what it was when it was held. */
export interface HeldPair {
  readonly key: unknown;
  readonly value: unknown;
  /** About what it takes, for the bound. */
  readonly bytes: number;
}

/** Throws what the sink would throw for the pair. */
export type HoldPair = (key: unknown, value: unknown) => HeldPair;

export class HeldPairs implements PairSink {
  readonly #sink: PairSink;
  readonly #hold: HoldPair;
  readonly #keys: unknown[] = [];
  readonly #values: unknown[] = [];
  #bytes = 0;
  /** Some pairs of this record have gone on: it was too large to be held. */
  #isSplit = false;

  constructor(sink: PairSink, hold: HoldPair) {
    this.#sink = sink;
    this.#hold = hold;
  }

  emit(key: unknown, value: unknown): void {
    const held = this.#hold(key, value);
    this.#keys.push(held.key);
    this.#values.push(held.value);
    this.#bytes += held.bytes;
    if (this.#keys.length < limits.heldPairsMax && this.#bytes < limits.heldPairBytesMax) return;
    this.#release();
    this.#isSplit = true;
  }

  commit(): void {
    this.#release();
    this.#isSplit = false;
  }

  rollback(): boolean {
    this.#clear();
    return !this.#isSplit;
  }

  drain(): Promise<void> | undefined {
    return this.#sink.drain?.();
  }

  #release(): void {
    for (let index = 0; index < this.#keys.length; index++)
      this.#sink.emit(this.#keys[index], this.#values[index]);
    this.#clear();
  }

  #clear(): void {
    this.#keys.length = 0;
    this.#values.length = 0;
    this.#bytes = 0;
  }
}

export interface ShuffledPairOptions {
  readonly partitions: number;
  readonly partitioning: Partitioning;
  /** When the job combines by one: it refuses values, too. */
  readonly aggregator: AggregatorData | undefined;
}

/** For pairs that are sorted and shuffled. */
export function holdShuffledPair(options: ShuffledPairOptions): HoldPair {
  const { aggregator } = options;
  const lift = aggregator && aggregatorState(aggregator).lift;
  const isCount = aggregator?.op === 'count';
  const partitioner =
    options.partitioning.kind === 'custom'
      ? createPartitioner(options.partitioning, options.partitions)
      : undefined;
  let scratch = Buffer.allocUnsafeSlow(4096);
  return (key, value) => {
    const state = lift ? lift(value) : value;
    for (;;) {
      const keyEnd = encodeKey(key, scratch, 0);
      const end = keyEnd < 0 ? -1 : encodeValue(state, scratch, keyEnd);
      if (end > limits.pairBytesMax) throw pairTooLarge(String(end));
      if (end >= 0) {
        partitioner?.(scratch, 0, keyEnd, key);
        return {
          key: isObject(key) ? decodeKey(scratch, 0, keyEnd) : key,
          // What is counted need not be data: only that it was there matters.
          value: isCount ? 1 : isObject(state) ? decodeValue(scratch, keyEnd, end) : value,
          bytes: end,
        };
      }
      if (scratch.length > 2 * limits.pairBytesMax) throw pairTooLarge(`more than ${limits.pairBytesMax}`);
      scratch = Buffer.allocUnsafeSlow(scratch.length * 4);
    }
  };
}

/** For the pairs of a map-only job, which are output records. */
export function holdOutputPair(format: OutputFormat): HoldPair {
  // Its own encoder: what it learns of columns must not come from records that are skipped.
  const encoder = createEncoder(format);
  return (key, value) => {
    const bytes = encoder.encode([key, value]).length;
    return { key: copyPlain(key), value: copyPlain(value), bytes };
  };
}

/** For a sample, which takes keys only. */
export const holdKey: HoldPair = (key) => {
  const bytes = encodeKeyToBytes(key);
  const copy = isObject(key) ? decodeKey(bytes, 0, bytes.length) : key;
  return { key: copy, value: undefined, bytes: bytes.length };
};

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

/** Encodes like the original in every output format. */
function copyPlain(value: unknown): unknown {
  if (!isObject(value)) return value;
  return value instanceof Uint8Array ? value.slice() : (JSON.parse(jsonText(value)) as unknown);
}
