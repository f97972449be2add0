/** CSV with newlines inside quotes, read from the start of the object by csv-parse. */
import { CsvError, type Info, type Parser, parse } from 'csv-parse';
import { limits } from '../../../lib/limits.ts';
import { MalformedRecordError } from '../../../lib/malformed-record.ts';
import { type MalformedRecord, type RawRecord, type RecordBatch, rawRecord } from '../record-batch.ts';
import { recordMaker, type ToRecord } from './csv-rows.ts';
import type { PieceSource } from './piece-source.ts';

/** The rows that one chunk completed. Lines and offsets are where the row before ended, which blank lines may follow. */
class RowBatch implements RecordBatch {
  readonly uri: string;
  record: unknown;
  offset = 0;
  failure: MalformedRecordError | undefined;
  readonly #rows: readonly Row[];
  readonly #toRecord: ToRecord;
  #at = 0;

  constructor(uri: string, rows: readonly Row[], toRecord: ToRecord) {
    this.uri = uri;
    this.#rows = rows;
    this.#toRecord = toRecord;
  }

  raw(): RawRecord {
    return this.#rows[this.#at - 1]!.raw();
  }

  takeMalformed(): MalformedRecord | undefined {
    if (!this.failure) return undefined;
    const { uri, offset, line, reason } = this.failure;
    this.failure = undefined;
    return { uri, offset, line, reason, raw: this.raw() };
  }

  next(): boolean {
    const row = this.failure ? undefined : this.#rows[this.#at];
    if (!row) return false;
    this.#at++;
    this.offset = row.offset;
    try {
      this.record = this.#toRecord(row.fields);
      return true;
    } catch (error) {
      this.failure = malformed(error, this.uri, row);
      return false;
    }
  }
}

interface Row {
  readonly fields: readonly string[];
  readonly line: number;
  readonly offset: number;
  /** Looked up in the chunk: valid while its rows are. */
  readonly raw: () => RawRecord;
}

export interface CsvStreamOptions {
  readonly header: boolean;
  readonly delimiter: string;
}

export async function* readCsvStream(
  source: PieceSource,
  options: CsvStreamOptions,
): AsyncGenerator<RecordBatch> {
  const { uri } = source.piece;
  let toRecord: ToRecord | undefined;
  for await (const rows of readRows(source, options.delimiter)) {
    const first = rows[0];
    if (!first) continue;
    if (!toRecord) {
      toRecord = makeRecordMaker(first, options.header, uri);
      if (options.header) rows.shift();
    }
    const batch = new RowBatch(uri, rows, toRecord);
    yield batch;
    if (batch.failure) throw batch.failure;
  }
}

/** One array per chunk. */
async function* readRows(source: PieceSource, delimiter: string): AsyncGenerator<Row[]> {
  const collector = new RowCollector(source, delimiter);
  try {
    for await (const chunk of source.bytes()) {
      await collector.write(chunk);
      yield collector.take();
      collector.throwIfFailed();
    }
    await collector.end();
    yield collector.take();
    collector.throwIfFailed();
  } finally {
    collector.destroy();
  }
}

class RowCollector {
  readonly #uri: string;
  readonly #parser: Parser;
  #rows: Row[] = [];
  #error: Error | undefined;
  #stopWaiting: () => void = () => undefined;
  #lastLine = 0;
  #lastOffset = 0;
  /** The last one, and the beginning of the row that was open when it came: so that each of its rows can be shown as it was. */
  #chunk: Buffer = Buffer.alloc(0);
  #chunkOffset = 0;
  #openHead: Buffer = Buffer.alloc(0);

  constructor(source: PieceSource, delimiter: string) {
    this.#uri = source.piece.uri;
    this.#parser = parse({
      bom: true,
      delimiter,
      skip_empty_lines: true,
      relax_column_count: true,
      max_record_size: source.recordBytesMax,
      // Taken here and not handed on: the stream would make an object and an event of each row.
      on_record: (fields: string[], info: Info) => {
        const offset = this.#lastOffset;
        const end = info.bytes;
        this.#rows.push({
          fields,
          line: this.#lastLine + 1,
          offset,
          raw: () => this.#rawRecord(offset, end),
        });
        this.#lastLine = info.lines;
        this.#lastOffset = info.bytes;
        return null;
      },
    });
    this.#parser.resume();
    this.#parser.on('error', (error) => {
      this.#error = error;
      this.#stopWaiting();
    });
  }

  #rawRecord(offset: number, end: number): RawRecord {
    const from = offset - this.#chunkOffset;
    const inChunk = this.#chunk.subarray(Math.max(0, from), end - this.#chunkOffset);
    if (from >= 0) return rawRecord(inChunk);
    return { ...rawRecord(Buffer.concat([this.#openHead, inChunk])), bytes: end - offset };
  }

  #remember(chunk: Uint8Array): void {
    const from = this.#lastOffset - this.#chunkOffset;
    const open = this.#chunk.subarray(Math.max(0, from));
    if (from >= 0) this.#openHead = Buffer.from(rawRecord(open).head);
    else if (this.#openHead.length < limits.badRecordBytesMax)
      this.#openHead = Buffer.concat([this.#openHead, rawRecord(open).head]);
    this.#chunkOffset += this.#chunk.length;
    this.#chunk = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  }

  async write(chunk: Uint8Array): Promise<void> {
    this.#remember(chunk);
    await new Promise<void>((resolve) => {
      this.#stopWaiting = resolve;
      this.#parser.write(chunk, () => resolve());
    });
  }

  async end(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#stopWaiting = resolve;
      this.#parser.once('end', resolve);
      this.#parser.end();
    });
  }

  take(): Row[] {
    const rows = this.#rows;
    this.#rows = [];
    return rows;
  }

  throwIfFailed(): void {
    if (!this.#error) return;
    const { message } = this.#error;
    const reason = this.#error instanceof CsvError ? message : `the CSV cannot be parsed (${message})`;
    throw malformed(new Error(reason, { cause: this.#error }), this.#uri, {
      line: this.#lastLine + 1,
      offset: this.#lastOffset,
    });
  }

  destroy(): void {
    this.#parser.destroy();
  }
}

function makeRecordMaker(first: Row, header: boolean, uri: string): ToRecord {
  try {
    return recordMaker(first.fields, header);
  } catch (error) {
    throw malformed(error, uri, first);
  }
}

function malformed(error: unknown, uri: string, at: { line: number; offset: number }): MalformedRecordError {
  const reason = error instanceof Error ? error.message : String(error);
  return new MalformedRecordError(reason, { uri, line: at.line, offset: at.offset }, { cause: error });
}
