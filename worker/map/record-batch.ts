/**
 * What flows from the readers to the mapper: some records at a time, pulled one by one without a promise and without an
 * object around each record.
 *
 *     for await (const batch of readSplit(…)) while (batch.next()) map(batch.record)
 *
 * A batch must be pulled to its end before the next one is asked for. A malformed record ends its batch early, and the
 * iterator then throws MalformedRecordError: so the inner loop needs no error path.
 */
export interface RecordBatch<T = unknown> {
  /** The object that the records are from. */
  readonly uri: string;
  /** Moves to the next record; false at the end. */
  next(): boolean;
  /** The current record; the user may keep it. */
  readonly record: T;
  /** Of the first byte of the current record, in the (decompressed) object. */
  readonly offset: number;
}
