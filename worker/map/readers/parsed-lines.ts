/** Records that are one line each and have to be parsed: what jsonl and csv without quoted newlines share. */
import type { LineBlock } from '../../../lib/line-blocks.ts';
import { MalformedRecordError } from '../../../lib/malformed-record.ts';
import type { MalformedRecord, RawRecord, RecordBatch } from '../record-batch.ts';
import { LineBatch } from './lines.ts';
import type { PieceSource } from './piece-source.ts';

/** Gives the record of a line, or {@link noRecord}; throws an Error whose message says what is wrong with it. */
export type ParseLine = (line: string, offset: number) => unknown;

/** For lines that hold no record, like blank ones. */
export const noRecord: unique symbol = Symbol('no record');

/** A line that could not be parsed: where, and why. `line` counts from 1 within the batch. */
interface BadLine {
  readonly line: number;
  readonly offset: number;
  readonly error: unknown;
}

class ParsedLineBatch implements RecordBatch {
  readonly uri: string;
  record: unknown;
  badLine: BadLine | undefined;
  /** Of the object, before this batch; undefined when they were not counted. */
  readonly #linesBefore: number | undefined;
  readonly #lines: LineBatch;
  readonly #parse: ParseLine;

  constructor(uri: string, block: LineBlock, parse: ParseLine, linesBefore: number | undefined) {
    this.uri = uri;
    this.#linesBefore = linesBefore;
    this.#lines = new LineBatch(uri, block);
    this.#parse = parse;
  }

  get offset(): number {
    return this.#lines.offset;
  }

  raw(): RawRecord {
    return this.#lines.raw();
  }

  takeMalformed(): MalformedRecord | undefined {
    if (!this.badLine) return undefined;
    const { line, offset, error } = this.badLine;
    this.badLine = undefined;
    const before = this.#linesBefore;
    return {
      uri: this.uri,
      offset,
      line: before === undefined ? undefined : before + line,
      reason: reasonOf(error),
      raw: this.raw(),
    };
  }

  /** Lines pulled so far. */
  get lines(): number {
    return this.#lines.lines;
  }

  next(): boolean {
    const lines = this.#lines;
    while (!this.badLine && lines.next()) {
      try {
        const record = this.#parse(lines.record, lines.offset);
        if (record === noRecord) continue;
        this.record = record;
        return true;
      } catch (error) {
        this.badLine = { line: lines.lines, offset: lines.offset, error };
      }
    }
    return false;
  }
}

export async function* readParsedLines(source: PieceSource, parse: ParseLine): AsyncGenerator<RecordBatch> {
  const { uri, start } = source.piece;
  let linesBefore = 0;
  for await (const block of source.lines()) {
    const batch = new ParsedLineBatch(uri, block, parse, start === 0 ? linesBefore : undefined);
    yield batch;
    if (batch.badLine) {
      const { line, offset, error } = batch.badLine;
      // Only a reader from the start of the object has counted all lines; the other may take its time, for it is the end.
      const lineInObject = start === 0 ? linesBefore + line : await source.lineNumberAt(offset);
      throw new MalformedRecordError(reasonOf(error), { uri, line: lineInObject, offset }, { cause: error });
    }
    linesBefore += batch.lines;
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
