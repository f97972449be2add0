/** Records of a fixed number of bytes. */
import { MalformedRecordError } from '../../../lib/malformed-record.ts';
import { type RawRecord, type RecordBatch, rawRecord } from '../record-batch.ts';
import { malformedTail } from './malformed-tail.ts';
import type { PieceSource } from './piece-source.ts';

/** Records are views of the chunk: one that the user keeps keeps the chunk, but copying each would cost a third of the speed. */
class FixedLengthBatch implements RecordBatch<Uint8Array> {
  readonly uri: string;
  record: Uint8Array = new Uint8Array(0);
  offset: number;
  readonly #bytes: Uint8Array;
  readonly #recordBytes: number;
  #at = 0;

  constructor(uri: string, bytes: Uint8Array, recordBytes: number, offset: number) {
    this.uri = uri;
    this.#bytes = bytes;
    this.#recordBytes = recordBytes;
    this.offset = offset - recordBytes;
  }

  next(): boolean {
    const bytes = this.#bytes;
    if (this.#at >= bytes.length) return false;
    this.record = new Uint8Array(bytes.buffer, bytes.byteOffset + this.#at, this.#recordBytes);
    this.#at += this.#recordBytes;
    this.offset += this.#recordBytes;
    return true;
  }

  raw(): RawRecord {
    return rawRecord(this.record);
  }
}

export async function* readFixedLength(
  source: PieceSource,
  recordBytes: number,
): AsyncGenerator<RecordBatch<Uint8Array>> {
  const { uri, start } = source.piece;
  let rest: Uint8Array = new Uint8Array(0);
  let offset = start;
  for await (const chunk of source.bytes()) {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    const whole = bytes.length - (bytes.length % recordBytes);
    if (whole > 0) yield new FixedLengthBatch(uri, bytes.subarray(0, whole), recordBytes, offset);
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
