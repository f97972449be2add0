/** The text of a whole object as one record. */
import { limits } from '../../../lib/limits.ts';
import { MalformedRecordError } from '../../../lib/malformed-record.ts';
import { type RawRecord, type RecordBatch, rawRecord } from '../record-batch.ts';
import { malformedTail } from './malformed-tail.ts';
import type { PieceSource } from './piece-source.ts';

class SingleRecordBatch implements RecordBatch<string> {
  readonly uri: string;
  readonly record: string;
  readonly offset = 0;
  readonly #raw: RawRecord;
  #isTaken = false;

  constructor(uri: string, bytes: Buffer) {
    this.uri = uri;
    // Decoding drops a byte order mark and turns invalid UTF-8 into U+FFFD.
    this.record = new TextDecoder().decode(bytes);
    // A copy of the beginning: the file itself need not stay in memory beside its text.
    this.#raw = { ...rawRecord(bytes), head: Buffer.from(rawRecord(bytes).head) };
  }

  next(): boolean {
    const hasRecord = !this.#isTaken;
    this.#isTaken = true;
    return hasRecord;
  }

  raw(): RawRecord {
    return this.#raw;
  }
}

export async function* readWholeFile(source: PieceSource): AsyncGenerator<RecordBatch<string>> {
  const { uri } = source.piece;
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of source.bytes()) {
    bytes += chunk.length;
    if (bytes > source.recordBytesMax) {
      const error = new MalformedRecordError(
        `the file is longer than the limit of ${source.recordBytesMax} bytes for a record of wholeFile()`,
        { uri, line: 0, offset: 0 },
      );
      const head = Buffer.concat([...chunks, chunk], Math.min(bytes, limits.badRecordBytesMax));
      return yield* malformedTail(error, { head, bytes: source.piece.objectBytes });
    }
    chunks.push(chunk);
  }
  yield new SingleRecordBatch(uri, Buffer.concat(chunks, bytes));
}
