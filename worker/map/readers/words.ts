/** The words of a text, one by one. */
import { isAscii, isUtf8 } from 'node:buffer';
import { keyTags } from '../../../lib/codec/key-codec.ts';
import type { Delimiter, LineBlock } from '../../../lib/line-blocks.ts';
import { type WordSeparators, wordBytesOf } from '../../../lib/word-bytes.ts';
import { type RawRecord, type RecordBatch, rawRecord } from '../record-batch.ts';
import { RecordSpans } from '../record-spans.ts';
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
  /** The whole block, when it is ASCII and has been asked for: cutting short words out of it costs half of decoding each. */
  #text: string | undefined;
  #encoding: 'latin1' | 'utf8' | undefined;
  #start = 0;
  #end = 0;

  constructor(uri: string, block: LineBlock, wordBytes: Uint8Array) {
    this.uri = uri;
    this.#bytes = block.bytes;
    this.#blockOffset = block.offset;
    this.#wordBytes = wordBytes;
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
    this.record = this.#decode(start, end);
    return true;
  }

  spans(bounds: Int32Array): RecordSpans | undefined {
    if (!isUtf8(this.#bytes)) return undefined;
    return new WordSpans(this.#bytes, this.#blockOffset, this.#wordBytes, bounds);
  }

  #decode(start: number, end: number): string {
    const bytes = this.#bytes;
    if (this.#encoding === undefined) {
      this.#encoding = isAscii(bytes) ? 'latin1' : 'utf8';
      if (this.#encoding === 'latin1') this.#text = bytes.toString('latin1');
    }
    const text = this.#text;
    if (text !== undefined && end - start < slicedCharsMin) return text.slice(start, end);
    return bytes.toString(this.#encoding, start, end);
  }

  raw(): RawRecord {
    return rawRecord(this.#bytes.subarray(this.#start, this.#end));
  }
}

class WordSpans extends RecordSpans {
  readonly #wordBytes: Uint8Array;
  #next = 0;

  constructor(bytes: Buffer, offset: number, wordBytes: Uint8Array, bounds: Int32Array) {
    super(bytes, { tag: keyTags.string, offset }, bounds);
    this.#wordBytes = wordBytes;
  }

  protected fill(bounds: Int32Array): number {
    const { bytes } = this;
    const wordBytes = this.#wordBytes;
    const length = bytes.length;
    let next = this.#next;
    let count = 0;
    while (count < bounds.length) {
      while (next < length && wordBytes[bytes[next]!] === 0) next++;
      if (next === length) break;
      bounds[count++] = next++;
      while (next < length && wordBytes[bytes[next]!] === 1) next++;
      bounds[count++] = next;
    }
    this.#next = next;
    return count;
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
