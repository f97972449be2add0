/**
 * CSV whose fields hold no newlines: a row is a line, so that an object can be cut and each piece read on its own. Follows
 * RFC 4180 otherwise, as csv-parse does for files with quoted newlines.
 */
import { MalformedRecordError } from '../../../lib/malformed-record.ts';
import type { RecordBatch } from '../record-batch.ts';
import { recordMaker } from './csv-rows.ts';
import { LineBatch } from './lines.ts';
import { noRecord, readParsedLines } from './parsed-lines.ts';
import type { PieceSource } from './piece-source.ts';

export interface CsvLineOptions {
  readonly header: boolean;
  readonly delimiter: string;
}

export async function* readCsvLines(
  source: PieceSource,
  options: CsvLineOptions,
): AsyncGenerator<RecordBatch> {
  const first = await readFirstLine(source);
  if (!first) return;
  const toRecord = blame(source, first, () =>
    recordMaker(splitCsvLine(first.text, options.delimiter), options.header),
  );
  yield* readParsedLines(source, (line, offset) => {
    const isHeader = options.header && offset <= first.offset;
    if (line === '' || isHeader) return noRecord;
    return toRecord(splitCsvLine(line, options.delimiter));
  });
}

/** The fields of one row. Throws an Error that says what is wrong with the quotes. */
export function splitCsvLine(line: string, delimiter: string): string[] {
  if (!line.includes('"')) return line.split(delimiter);
  const fields: string[] = [];
  for (let at = 0; ; at += delimiter.length) {
    const isQuoted = line[at] === '"';
    const end = isQuoted ? quotedEnd(line, at) : plainEnd(line, at, delimiter);
    fields.push(isQuoted ? line.slice(at + 1, end - 1).replaceAll('""', '"') : line.slice(at, end));
    if (end === line.length) return fields;
    if (!line.startsWith(delimiter, end))
      throw new Error(`text follows the closing quote at character ${end + 1}`);
    at = end;
  }
}

/** After the closing quote. */
function quotedEnd(line: string, start: number): number {
  for (let at = start + 1; ; at += 2) {
    at = line.indexOf('"', at);
    if (at < 0) {
      throw new Error(
        `the quote at character ${start + 1} is never closed on this line (for quoted newlines set quotedNewlines)`,
      );
    }
    if (line[at + 1] !== '"') return at + 1;
  }
}

function plainEnd(line: string, start: number, delimiter: string): number {
  const found = line.indexOf(delimiter, start);
  const end = found < 0 ? line.length : found;
  const quote = line.indexOf('"', start);
  if (quote >= 0 && quote < end)
    throw new Error(`a quote is inside an unquoted field at character ${quote + 1}`);
  return end;
}

interface FirstLine {
  readonly text: string;
  readonly offset: number;
  readonly line: number;
}

/** The first line of the object that is not empty. */
async function readFirstLine(source: PieceSource): Promise<FirstLine | undefined> {
  let linesBefore = 0;
  for await (const block of source.linesOfObject()) {
    const lines = new LineBatch(source.piece.uri, block);
    while (lines.next()) {
      if (lines.record !== '')
        return { text: lines.record, offset: lines.offset, line: linesBefore + lines.lines };
    }
    linesBefore += lines.lines;
  }
  return undefined;
}

/** An error in the first line is one of that line, not of the piece that is being read. */
function blame<T>(source: PieceSource, first: FirstLine, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const place = { uri: source.piece.uri, line: first.line, offset: first.offset };
    throw new MalformedRecordError(reason, place, { cause: error });
  }
}
