/** One JSON value per line; blank lines are skipped. */
import type { RecordBatch } from '../record-batch.ts';
import { noRecord, readParsedLines } from './parsed-lines.ts';
import type { PieceSource } from './piece-source.ts';

const messageCharsMax = 200;

export function readJsonl(source: PieceSource): AsyncIterable<RecordBatch> {
  return readParsedLines(source, parseJsonLine);
}

function parseJsonLine(line: string): unknown {
  // A JSON value begins with a character above the space; what does not may be blank.
  if (!(line.charCodeAt(0) > 32) && line.trim() === '') return noRecord;
  try {
    return JSON.parse(line);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(`the line is not valid JSON (${why.slice(0, messageCharsMax)})`, { cause: error });
  }
}
