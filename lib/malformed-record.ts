import { MillraceError } from './errors.ts';

/** Where in the input a record is. */
export interface RecordPlace {
  readonly uri: string;
  /** From 1, of the record's first line in the (decompressed) object; 0 when the format has no lines. */
  readonly line: number;
  /** Of the record's first byte in the (decompressed) object. */
  readonly offset: number;
}

/** A record of the input that cannot be read. `reason` says why; the message adds the place. */
export class MalformedRecordError extends MillraceError {
  override name = 'MalformedRecordError';
  readonly reason: string;
  readonly uri: string;
  readonly line: number;
  readonly offset: number;

  constructor(reason: string, place: RecordPlace, options?: { cause?: unknown }) {
    const line = place.line > 0 ? `, line ${place.line}` : '';
    super('malformed-record', `${reason}: ${place.uri}${line}, byte ${place.offset}`, options);
    this.reason = reason;
    this.uri = place.uri;
    this.line = place.line;
    this.offset = place.offset;
  }
}
