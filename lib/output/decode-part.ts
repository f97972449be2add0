/** Reading an output part back into records. */
import { decompress } from '../decompress.ts';
import { MillraceError } from '../errors.ts';
import type { OutputFormat } from '../formats.ts';
import { lineBlocks } from '../line-blocks.ts';
import { MalformedRecordError } from '../malformed-record.ts';
import { tsvRowReader } from './columns.ts';

/**
 * The records of a part from its stored bytes. `columns` are those of the part: tsv rows come back with their types. A pair that
 * was written as a line comes back as that line. Throws `corrupt` for bytes that the format could not have made.
 */
export async function* decodePart(
  chunks: AsyncIterable<Uint8Array>,
  format: OutputFormat,
  columns: readonly string[],
): AsyncGenerator<unknown, void, void> {
  try {
    const plain = decompress(chunks, format.compression, 'the output part');
    if (format.kind === 'fixedLength') yield* decodeFixedLength(plain, format.bytes);
    else yield* decodeLines(plain, lineReader(format.kind, columns));
  } catch (error) {
    if (!(error instanceof MalformedRecordError || error instanceof SyntaxError)) throw error;
    throw new MillraceError('corrupt', `an output part is damaged: ${error.message}`, { cause: error });
  }
}

function lineReader(kind: 'tsv' | 'jsonl' | 'lines', columns: readonly string[]): (line: string) => unknown {
  if (kind === 'jsonl') return (line) => JSON.parse(line);
  return kind === 'tsv' ? tsvRowReader(columns) : (line) => line;
}

/** Every line of a part ends with a newline, and only that: a carriage return before it is data. */
async function* decodeLines(
  chunks: AsyncIterable<Uint8Array>,
  read: (line: string) => unknown,
): AsyncGenerator<unknown, void, void> {
  const options = {
    uri: 'the output part',
    keepByteOrderMark: true,
    recordBytesMax: Number.POSITIVE_INFINITY,
  };
  for await (const { bytes } of lineBlocks(chunks, options)) {
    let start = 0;
    while (start < bytes.length) {
      const end = bytes.indexOf(10, start);
      if (end < 0) throw new SyntaxError('the last line is cut short');
      yield read(bytes.toString('utf8', start, end));
      start = end + 1;
    }
  }
}

async function* decodeFixedLength(
  chunks: AsyncIterable<Uint8Array>,
  recordBytes: number,
): AsyncGenerator<Uint8Array, void, void> {
  let rest: Uint8Array = new Uint8Array(0);
  for await (const chunk of chunks) {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    let at = 0;
    for (; at + recordBytes <= bytes.length; at += recordBytes) yield bytes.slice(at, at + recordBytes);
    rest = bytes.subarray(at);
  }
  if (rest.length > 0)
    throw new SyntaxError(`it ends after ${rest.length} of the ${recordBytes} bytes of a record`);
}
