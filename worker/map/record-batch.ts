/**
 * What flows from the readers to the mapper: some records at a time, pulled one by one without a promise and without an
 * object around each record.
 *
 *     for await (const batch of readSplit(…)) while (batch.next()) map(batch.record)
 *
 * A batch must be pulled to its end before the next one is asked for. A malformed record ends its batch early: who skips it
 * takes it and pulls on, else the iterator then throws MalformedRecordError. So the inner loop needs no error path.
 */
import { limits } from '../../lib/limits.ts';
import type { RecordSpans } from './record-spans.ts';

export interface RecordBatch<T = unknown> {
  /** The object that the records are from. */
  readonly uri: string;
  /** Moves to the next record; false at the end. */
  next(): boolean;
  /** The current record; the user may keep it. */
  readonly record: T;
  /** Of the first byte of the current record, in the (decompressed) object. */
  readonly offset: number;
  /** The current record as it is in the object; valid until the next one is pulled. */
  raw(): RawRecord;
  /** All records of the batch as bytes, instead of `next`; undefined when there are only the records. See record-spans.ts. */
  spans?(bounds: Int32Array): RecordSpans | undefined;
  /** The malformed record because of which `next` gave false, once: then `next` goes on behind it. */
  takeMalformed?(): MalformedRecord | undefined;
}

export interface RawRecord {
  /** Its beginning, of at most `limits.badRecordBytesMax`. */
  readonly head: Uint8Array;
  /** Of all of it. */
  readonly bytes: number;
}

/** A record whose bounds are known, but that cannot be read. */
export interface MalformedRecord {
  readonly uri: string;
  readonly offset: number;
  /** From 1; undefined when it would take reading the object from its start. */
  readonly line: number | undefined;
  readonly reason: string;
  readonly raw: RawRecord;
}

export function rawRecord(bytes: Uint8Array): RawRecord {
  return { head: bytes.subarray(0, limits.badRecordBytesMax), bytes: bytes.length };
}
