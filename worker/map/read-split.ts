/** Reading the input of a map task: its pieces in order, each by the reader of the format. */
import { assertNever } from '../../lib/assert.ts';
import type { InputFormat } from '../../lib/formats.ts';
import type { Split } from '../../lib/job-spec.ts';
import { throwIfAborted } from '../../lib/store/abort.ts';
import type { Stores } from '../../lib/store/resolve.ts';
import { readCsvLines } from './readers/csv-lines.ts';
import { readCsvStream } from './readers/csv-stream.ts';
import { readFixedLength } from './readers/fixed-length.ts';
import { readJsonl } from './readers/jsonl.ts';
import { readLines } from './readers/lines.ts';
import { PieceSource, type ReadSplitOptions } from './readers/piece-source.ts';
import { readWholeFile } from './readers/whole-file.ts';
import { readWords } from './readers/words.ts';
import type { RecordBatch } from './record-batch.ts';

export type { ReadSplitOptions } from './readers/piece-source.ts';

/**
 * The records of a split in input order, in batches (record-batch.ts says how to pull them). A record belongs to the piece in
 * which its first byte lies. Throws MalformedRecordError, and what the store throws: `input-changed`, `cancelled`, …
 */
export async function* readSplit(
  split: Split,
  format: InputFormat,
  stores: Stores,
  options: ReadSplitOptions = {},
): AsyncGenerator<RecordBatch> {
  for (const piece of split.pieces) {
    throwIfAborted(options.signal);
    yield* readPiece(new PieceSource(piece, stores, options), format);
  }
}

function readPiece(source: PieceSource, format: InputFormat): AsyncIterable<RecordBatch> {
  switch (format.kind) {
    case 'lines':
      return readLines(source);
    case 'words':
      return readWords(source, format.separators);
    case 'jsonl':
      return readJsonl(source);
    case 'csv':
      return format.quotedNewlines ? readCsvStream(source, format) : readCsvLines(source, format);
    case 'wholeFile':
      return readWholeFile(source);
    case 'fixedLength':
      return readFixedLength(source, format);
    default:
      return assertNever(format, 'input format');
  }
}
