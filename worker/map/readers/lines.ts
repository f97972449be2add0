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
 * One string per line, decoded on its own: cutting slices out of one decoded chunk is faster for lines below 50 bytes, but a
 * single such slice that the user keeps would hold the whole chunk in memory.
 */
export class LineBatch implements RecordBatch<string> {
  readonly uri: string;
  record = '';
  offset = 0;
  /** Lines pulled so far. */
  lines = 0;
  readonly #bytes: Buffer;
  readonly #blockOffset: number;
  readonly #encoding: 'latin1' | 'utf8';
  #at = 0;
  /** Of the current line, without its line end. */
  #start = 0;
  #end = 0;

  constructor(uri: string, block: LineBlock) {
    this.uri = uri;
    this.#bytes = block.bytes;
    this.#blockOffset = block.offset;
    // Equal for ASCII, and latin1 is the faster one.
    this.#encoding = isAscii(block.bytes) ? 'latin1' : 'utf8';
  }

  next(): boolean {
    const bytes = this.#bytes;
    const start = this.#at;
    if (start >= bytes.length) return false;
    const found = bytes.indexOf(newline, start);
    let end = found;
    if (found < 0) end = bytes.length;
    else if (found > start && bytes[found - 1] === carriageReturn) end--;
    this.#at = found < 0 ? end : found + 1;
    this.offset = this.#blockOffset + start;
    this.record = bytes.toString(this.#encoding, start, end);
    this.#start = start;
    this.#end = end;
    this.lines++;
    return true;
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
