/**
 * Records as they lie in the bytes of a batch, for whoever needs neither strings nor objects of them: a job without a map. Read some at
 * a time, so that finding them and taking them are two short loops instead of a call per record.
 *
 *     while (spans.readOn() > 0) for (; spans.at < spans.end; spans.at += 2) take(spans.bounds[spans.at], spans.bounds[spans.at + 1])
 */
import type { SpanTag } from '../../lib/codec/key-codec.ts';

export interface SpanShape {
  /** Whether keys are text, the bytes being its valid UTF-8, or bytes. */
  readonly tag: SpanTag;
  /** A value is so many bytes right behind its key; undefined: null. */
  readonly valueBytes?: number | undefined;
  /** Of the first of the bytes, in the (decompressed) object. */
  readonly offset: number;
}

/** Room for the bounds of so many records: the bytes between them stay in the fastest cache until they are taken. */
export const spansMax = 512;

export abstract class RecordSpans {
  readonly bytes: Buffer;
  readonly tag: SpanTag;
  readonly valueBytes: number | undefined;
  /** Start and end of each key that was read and is not taken yet, from `at` to `end`; both are even. */
  readonly bounds: Int32Array;
  at = 0;
  end = 0;
  readonly #offset: number;

  /** `bounds` is written to: of length `2 * spansMax`, and nobody else's until the last record is taken. */
  constructor(bytes: Buffer, shape: SpanShape, bounds: Int32Array) {
    this.bytes = bytes;
    this.tag = shape.tag;
    this.valueBytes = shape.valueBytes;
    this.bounds = bounds;
    this.#offset = shape.offset;
  }

  /** Of the record at `at`, in the object. */
  get offset(): number {
    return this.#offset + this.bounds[this.at]!;
  }

  /** Reads the next records, the ones before having been taken. Gives how many; 0 at the end. */
  readOn(): number {
    this.at = 0;
    this.end = this.fill(this.bounds);
    return this.end >> 1;
  }

  /** Writes the bounds of the next records and gives the index after them. */
  protected abstract fill(bounds: Int32Array): number;
}
