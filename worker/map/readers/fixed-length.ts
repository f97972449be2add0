/** Records of a fixed number of bytes, or pairs of the first of them and the rest. */
import { keyTags } from '../../../lib/codec/key-codec.ts';
import { MalformedRecordError } from '../../../lib/malformed-record.ts';
import { type RawRecord, type RecordBatch, rawRecord } from '../record-batch.ts';
import { RecordSpans } from '../record-spans.ts';
import { malformedTail } from './malformed-tail.ts';
import type { PieceSource } from './piece-source.ts';

export interface RecordShape {
  readonly bytes: number;
  /** Undefined: the record is no pair. */
  readonly keyBytes?: number;
}

/** Records are views of the chunk: one that the user keeps keeps the chunk, but copying each would cost a third of the speed. */
class FixedLengthBatch implements RecordBatch {
  readonly uri: string;
  record: unknown;
  offset: number;
  readonly #bytes: Uint8Array;
  readonly #shape: RecordShape;
  #at = 0;

  constructor(uri: string, bytes: Uint8Array, shape: RecordShape, offset: number) {
    this.uri = uri;
    this.#bytes = bytes;
    this.#shape = shape;
    this.offset = offset - shape.bytes;
  }

  next(): boolean {
    if (this.#at >= this.#bytes.length) return false;
    const { bytes, keyBytes } = this.#shape;
    this.record =
      keyBytes === undefined ? this.#view(0, bytes) : [this.#view(0, keyBytes), this.#view(keyBytes, bytes)];
    this.#at += bytes;
    this.offset += bytes;
    return true;
  }

  raw(): RawRecord {
    return rawRecord(this.#bytes.subarray(this.#at - this.#shape.bytes, this.#at));
  }

  spans(bounds: Int32Array): RecordSpans {
    const { buffer, byteOffset, byteLength } = this.#bytes;
    const bytes = Buffer.from(buffer, byteOffset, byteLength);
    return new FixedLengthSpans(bytes, this.#shape, this.offset + this.#shape.bytes, bounds);
  }

  /** Of the record that comes next. */
  #view(start: number, end: number): Uint8Array {
    const { buffer, byteOffset } = this.#bytes;
    return new Uint8Array(buffer, byteOffset + this.#at + start, end - start);
  }
}

class FixedLengthSpans extends RecordSpans {
  readonly #recordBytes: number;
  readonly #keyBytes: number;
  #next = 0;

  constructor(bytes: Buffer, shape: RecordShape, offset: number, bounds: Int32Array) {
    const valueBytes = shape.keyBytes === undefined ? undefined : shape.bytes - shape.keyBytes;
    super(bytes, { tag: keyTags.bytes, valueBytes, offset }, bounds);
    this.#recordBytes = shape.bytes;
    this.#keyBytes = shape.keyBytes ?? shape.bytes;
  }

  protected fill(bounds: Int32Array): number {
    let next = this.#next;
    let count = 0;
    for (; count < bounds.length && next < this.bytes.length; next += this.#recordBytes) {
      bounds[count++] = next;
      bounds[count++] = next + this.#keyBytes;
    }
    this.#next = next;
    return count;
  }
}

export async function* readFixedLength(source: PieceSource, shape: RecordShape): AsyncGenerator<RecordBatch> {
  const recordBytes = shape.bytes;
  const { uri, start } = source.piece;
  let rest: Uint8Array = new Uint8Array(0);
  let offset = start;
  for await (const chunk of source.bytes()) {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    const whole = bytes.length - (bytes.length % recordBytes);
    if (whole > 0) yield new FixedLengthBatch(uri, bytes.subarray(0, whole), shape, offset);
    rest = bytes.subarray(whole);
    offset += whole;
  }
  if (rest.length === 0) return;
  const error = new MalformedRecordError(
    `the object ends after ${rest.length} of the ${recordBytes} bytes of a record`,
    { uri, line: 0, offset },
  );
  yield* malformedTail(error, rawRecord(rest));
}
