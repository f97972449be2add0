/** Cutting a stream of bytes into blocks of whole records that a byte ends: the framing under every text format. */
import { limits } from './limits.ts';
import { MalformedRecordError } from './malformed-record.ts';

/** Whole records, called lines here, each with what ends it, except perhaps the last one of the object. Never empty. */
export interface LineBlock {
  readonly bytes: Buffer;
  /** Of the first byte, in the (decompressed) object. */
  readonly offset: number;
}

/** What ends a record: one of some bytes, looked for in whichever way is the fastest. */
export interface Delimiter {
  /** What a record is called in errors. */
  readonly record: 'line' | 'word';
  /** The first one at or after `from`, or -1. */
  indexIn(bytes: Buffer, from: number): number;
  /** The last one, or -1. */
  lastIndexIn(bytes: Buffer): number;
}

const newline: Delimiter = {
  record: 'line',
  indexIn: (bytes, from) => bytes.indexOf(10, from),
  lastIndexIn: (bytes) => bytes.lastIndexOf(10),
};

export interface LineBlockOptions {
  /** Default: a newline. */
  readonly delimiter?: Delimiter | undefined;
  /** For errors. */
  readonly uri: string;
  /** Of the first byte of the chunks; default 0. */
  readonly offset?: number;
  /** The first byte belongs to a line of somebody else: start after the first newline. */
  readonly isInsideLine?: boolean;
  /** Only lines whose first byte lies before this offset; default all. */
  readonly end?: number;
  readonly recordBytesMax?: number;
  /** The bytes are our own output, where a byte order mark at the start is data. */
  readonly keepByteOrderMark?: boolean;
}

/**
 * One block per chunk, and one for each line that lies across chunks. A byte order mark at offset 0 is left out, unless kept.
 * Throws MalformedRecordError for a line over `recordBytesMax`. Stops pulling chunks as soon as the last line is complete.
 */
export async function* lineBlocks(
  chunks: AsyncIterable<Uint8Array>,
  options: LineBlockOptions,
): AsyncGenerator<LineBlock> {
  const end = options.end ?? Number.POSITIVE_INFINITY;
  const delimiter = options.delimiter ?? newline;
  const pending = new PendingLine(options);
  let isInsideLine = options.isInsideLine ?? false;
  let chunkEnd = options.offset ?? 0;
  for await (const chunk of chunks) {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    const chunkStart = chunkEnd;
    chunkEnd += bytes.length;
    let from = 0;
    if (isInsideLine || !pending.isEmpty) {
      from = delimiter.indexIn(bytes, 0) + 1;
      if (from === 0) {
        if (!isInsideLine) pending.add(bytes, chunkStart);
        continue;
      }
      if (!isInsideLine) {
        pending.add(bytes.subarray(0, from), chunkStart);
        yield pending.take();
      }
      isInsideLine = false;
    }
    if (chunkStart + from >= end) return;
    const last = lastRecordEnd(bytes, from, end - chunkStart, delimiter);
    if (last > from) {
      const lines = { bytes: bytes.subarray(from, last), offset: chunkStart + from };
      const block = options.keepByteOrderMark ? lines : withoutByteOrderMark(lines);
      if (block.bytes.length > 0) yield block;
    }
    if (chunkStart + last >= end) return;
    if (last < bytes.length) pending.add(bytes.subarray(last), chunkStart + last);
  }
  if (!pending.isEmpty) {
    const block = pending.take();
    if (block.bytes.length > 0) yield block;
  }
}

/** The end of the last whole record that begins before `end`; `from` when there is none. */
function lastRecordEnd(bytes: Buffer, from: number, end: number, delimiter: Delimiter): number {
  if (bytes.length >= end) {
    const overEnd = delimiter.indexIn(bytes, Math.max(from, end - 1)) + 1;
    if (overEnd > 0) return overEnd;
  }
  return Math.max(from, delimiter.lastIndexIn(bytes) + 1);
}

function withoutByteOrderMark(block: LineBlock): LineBlock {
  const { bytes, offset } = block;
  const hasMark = offset === 0 && bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
  return hasMark ? { bytes: bytes.subarray(3), offset: 3 } : block;
}

/** The beginning of a line whose end has not come yet. */
class PendingLine {
  readonly #uri: string;
  readonly #record: string;
  readonly #bytesMax: number;
  readonly #keepByteOrderMark: boolean;
  #parts: Buffer[] = [];
  #bytes = 0;
  #offset = 0;

  constructor(options: LineBlockOptions) {
    this.#uri = options.uri;
    this.#record = (options.delimiter ?? newline).record;
    this.#bytesMax = options.recordBytesMax ?? limits.inputRecordBytesMax;
    this.#keepByteOrderMark = options.keepByteOrderMark ?? false;
  }

  get isEmpty(): boolean {
    return this.#bytes === 0;
  }

  add(bytes: Buffer, offset: number): void {
    if (this.isEmpty) this.#offset = offset;
    this.#parts.push(bytes);
    this.#bytes += bytes.length;
    if (this.#bytes <= this.#bytesMax) return;
    throw new MalformedRecordError(
      `a ${this.#record} is longer than the limit of ${this.#bytesMax} bytes; is the input of another format, or compressed?`,
      { uri: this.#uri, line: 0, offset: this.#offset },
    );
  }

  take(): LineBlock {
    const block = { bytes: Buffer.concat(this.#parts, this.#bytes), offset: this.#offset };
    this.#parts = [];
    this.#bytes = 0;
    return this.#keepByteOrderMark ? block : withoutByteOrderMark(block);
  }
}
