/** The words of a text, one by one. */
import { isAscii } from 'node:buffer';
import type { Delimiter, LineBlock } from '../../../lib/line-blocks.ts';
import { type WordSeparators, wordBytesOf } from '../../../lib/word-bytes.ts';
import { type RawRecord, type RecordBatch, rawRecord } from '../record-batch.ts';
import type { PieceSource } from './piece-source.ts';

/** V8 copies a substring that is shorter; a longer one keeps the text alive that it was cut from. */
const slicedCharsMin = 13;

class WordBatch implements RecordBatch<string> {
  readonly uri: string;
  record = '';
  offset = 0;
  readonly #bytes: Buffer;
  readonly #blockOffset: number;
  readonly #wordBytes: Uint8Array;
  /** The whole block, when it is ASCII: cutting short words out of it costs half of decoding each. */
  readonly #text: string | undefined;
  #start = 0;
  #end = 0;

  constructor(uri: string, block: LineBlock, wordBytes: Uint8Array) {
    this.uri = uri;
    this.#bytes = block.bytes;
    this.#blockOffset = block.offset;
    this.#wordBytes = wordBytes;
    this.#text = isAscii(block.bytes) ? block.bytes.toString('latin1') : undefined;
  }

  next(): boolean {
    const bytes = this.#bytes;
    const wordBytes = this.#wordBytes;
    const length = bytes.length;
    let start = this.#end;
    while (start < length && wordBytes[bytes[start]!] === 0) start++;
    if (start === length) return false;
    let end = start + 1;
    while (end < length && wordBytes[bytes[end]!] === 1) end++;
    this.#start = start;
    this.#end = end;
    this.offset = this.#blockOffset + start;
    const text = this.#text;
    if (text !== undefined && end - start < slicedCharsMin) this.record = text.slice(start, end);
    else this.record = bytes.toString(text === undefined ? 'utf8' : 'latin1', start, end);
    return true;
  }

  raw(): RawRecord {
    return rawRecord(this.#bytes.subarray(this.#start, this.#end));
  }
}

export async function* readWords(
  source: PieceSource,
  separators: WordSeparators,
): AsyncGenerator<RecordBatch<string>> {
  const wordBytes = wordBytesOf(separators);
  for await (const block of source.lines(wordDelimiter(wordBytes)))
    yield new WordBatch(source.piece.uri, block, wordBytes);
}

function wordDelimiter(wordBytes: Uint8Array): Delimiter {
  return {
    record: 'word',
    indexIn(bytes, from) {
      let at = from;
      while (at < bytes.length && wordBytes[bytes[at]!] === 1) at++;
      return at < bytes.length ? at : -1;
    },
    lastIndexIn(bytes) {
      let at = bytes.length - 1;
      while (at >= 0 && wordBytes[bytes[at]!] === 1) at--;
      return at;
    },
  };
}
