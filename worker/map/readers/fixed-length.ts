/** Records of a fixed number of bytes, or pairs of the first of them and the rest. */
import { MalformedRecordError } from '../../../lib/malformed-record.ts';
import { type RawRecord, type RecordBatch, rawRecord } from '../record-batch.ts';
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
  readonly #recordBytes: number;
  readonly #keyBytes: number | undefined;
  #at = 0;

  constructor(uri: string, bytes: Uint8Array, shape: RecordShape, offset: number) {
    this.uri = uri;
    this.#bytes = bytes;
    this.#recordBytes = shape.bytes;
    this.#keyBytes = shape.keyBytes;
    this.offset = offset - shape.bytes;
  }

  next(): boolean {
    if (this.#at >= this.#bytes.length) return false;
    const keyBytes = this.#keyBytes;
    this.record =
      keyBytes === undefined
        ? this.#view(0, this.#recordBytes)
        : [this.#view(0, keyBytes), this.#view(keyBytes, this.#recordBytes)];
    this.#at += this.#recordBytes;
    this.offset += this.#recordBytes;
    return true;
  }

  raw(): RawRecord {
    return rawRecord(this.#bytes.subarray(this.#at - this.#recordBytes, this.#at));
  }

  /** Of the record that comes next. */
  #view(start: number, end: number): Uint8Array {
    const { buffer, byteOffset } = this.#bytes;
    return new Uint8Array(buffer, byteOffset + this.#at + start, end - start);
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
