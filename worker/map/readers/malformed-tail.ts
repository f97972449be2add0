/** The one record of a piece that is there but cannot be read, when no batch of good ones can say so. */
import type { MalformedRecordError } from '../../../lib/malformed-record.ts';
import type { MalformedRecord, RawRecord, RecordBatch } from '../record-batch.ts';

class MalformedTail implements RecordBatch<never> {
  readonly uri: string;
  readonly offset: number;
  readonly #reason: string;
  readonly #raw: RawRecord;
  isTaken = false;

  constructor(error: MalformedRecordError, raw: RawRecord) {
    this.uri = error.uri;
    this.offset = error.offset;
    this.#reason = error.reason;
    this.#raw = raw;
  }

  next(): boolean {
    return false;
  }

  get record(): never {
    throw new Error('there is no record before next() says so');
  }

  raw(): RawRecord {
    return this.#raw;
  }

  takeMalformed(): MalformedRecord | undefined {
    if (this.isTaken) return undefined;
    this.isTaken = true;
    const { uri, offset } = this;
    return { uri, offset, line: undefined, reason: this.#reason, raw: this.#raw };
  }
}

/** Throws `error` unless the record is skipped. */
export function* malformedTail(error: MalformedRecordError, raw: RawRecord): Generator<RecordBatch<never>> {
  const tail = new MalformedTail(error, raw);
  yield tail;
  if (!tail.isTaken) throw error;
}
