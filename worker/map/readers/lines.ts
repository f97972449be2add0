/** Text lines without their line end (`\n` or `\r\n`). Empty lines are records. */
import { isAscii, isUtf8 } from 'node:buffer';
import { keyTags } from '../../../lib/codec/key-codec.ts';
import type { LineBlock } from '../../../lib/line-blocks.ts';
import { type RawRecord, type RecordBatch, rawRecord } from '../record-batch.ts';
import { RecordSpans } from '../record-spans.ts';
import type { PieceSource } from './piece-source.ts';

const newline = 10;
const carriageReturn = 13;

/**
 * So many bytes of ASCII lines are decoded at once, and the lines cut out of that: it costs half of a call into native code for each. A
 * line that the user keeps holds as much in memory, which is why it is not the whole block.
 */
const textBytesMax = 4096;

export class LineBatch implements RecordBatch<string> {
  readonly uri: string;
  record = '';
  offset = 0;
  /** Lines pulled so far. */
  lines = 0;
  readonly #bytes: Buffer;
  readonly #blockOffset: number;
  readonly #isAscii: boolean;
  /** Whole lines, decoded, of the bytes from `#textStart` on; only of ASCII, where a byte is a character. */
  #text = '';
  #textStart = 0;
  #at = 0;
  /** Of the current line, without its line end. */
  #start = 0;
  #end = 0;

  constructor(uri: string, block: LineBlock) {
    this.uri = uri;
    this.#bytes = block.bytes;
    this.#blockOffset = block.offset;
    this.#isAscii = isAscii(block.bytes);
  }

  next(): boolean {
    const bytes = this.#bytes;
    const start = this.#at;
    if (start >= bytes.length) return false;
    this.offset = this.#blockOffset + start;
    this.#start = start;
    this.lines++;
    if (this.#isAscii) this.#cut(start);
    else this.#decode(start);
    return true;
  }

  #cut(start: number): void {
    if (start >= this.#textStart + this.#text.length) this.#decodeText(start);
    const text = this.#text;
    const from = start - this.#textStart;
    const found = text.indexOf('\n', from);
    let end = found < 0 ? text.length : found;
    this.#at = this.#textStart + (found < 0 ? end : found + 1);
    if (found > from && text.charCodeAt(found - 1) === carriageReturn) end--;
    this.record = text.slice(from, end);
    this.#end = this.#textStart + end;
  }

  /** At least the line from `start` on. */
  #decodeText(start: number): void {
    const bytes = this.#bytes;
    let end = Math.min(start + textBytesMax, bytes.length);
    if (end < bytes.length) {
      let last = bytes.lastIndexOf(newline, end - 1);
      if (last < start) last = bytes.indexOf(newline, end);
      end = last < 0 ? bytes.length : last + 1;
    }
    this.#text = bytes.toString('latin1', start, end);
    this.#textStart = start;
  }

  #decode(start: number): void {
    const bytes = this.#bytes;
    const found = bytes.indexOf(newline, start);
    let end = found < 0 ? bytes.length : found;
    this.#at = found < 0 ? end : found + 1;
    if (found > start && bytes[found - 1] === carriageReturn) end--;
    this.record = bytes.toString('utf8', start, end);
    this.#end = end;
  }

  raw(): RawRecord {
    return rawRecord(this.#bytes.subarray(this.#start, this.#end));
  }

  spans(bounds: Int32Array): RecordSpans | undefined {
    return isUtf8(this.#bytes) ? new LineSpans(this.#bytes, this.#blockOffset, bounds) : undefined;
  }
}

class LineSpans extends RecordSpans {
  #next = 0;

  constructor(bytes: Buffer, offset: number, bounds: Int32Array) {
    super(bytes, { tag: keyTags.string, offset }, bounds);
  }

  protected fill(bounds: Int32Array): number {
    const { bytes } = this;
    let next = this.#next;
    let count = 0;
    while (count < bounds.length && next < bytes.length) {
      const found = bytes.indexOf(newline, next);
      const end = found < 0 ? bytes.length : found;
      bounds[count++] = next;
      bounds[count++] = found > next && bytes[end - 1] === carriageReturn ? end - 1 : end;
      next = end + 1;
    }
    this.#next = next;
    return count;
  }
}

export async function* readLines(source: PieceSource): AsyncGenerator<RecordBatch<string>> {
  for await (const block of source.lines()) yield new LineBatch(source.piece.uri, block);
}
