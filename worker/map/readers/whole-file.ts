/** The text of a whole object as one record. */
import { MalformedRecordError } from '../../../lib/malformed-record.ts';
import type { RecordBatch } from '../record-batch.ts';
import type { PieceSource } from './piece-source.ts';

class SingleRecordBatch implements RecordBatch<string> {
  readonly uri: string;
  readonly record: string;
  readonly offset = 0;
  #isTaken = false;

  constructor(uri: string, record: string) {
    this.uri = uri;
    this.record = record;
  }

  next(): boolean {
    const hasRecord = !this.#isTaken;
    this.#isTaken = true;
    return hasRecord;
  }
}

export async function* readWholeFile(source: PieceSource): AsyncGenerator<RecordBatch<string>> {
  const { uri } = source.piece;
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of source.bytes()) {
    bytes += chunk.length;
    if (bytes > source.recordBytesMax) {
      throw new MalformedRecordError(
        `the file is longer than the limit of ${source.recordBytesMax} bytes for a record of wholeFile()`,
        { uri, line: 0, offset: 0 },
      );
    }
    chunks.push(chunk);
  }
  // Decoding drops a byte order mark and turns invalid UTF-8 into U+FFFD.
  yield new SingleRecordBatch(uri, new TextDecoder().decode(Buffer.concat(chunks, bytes)));
}
