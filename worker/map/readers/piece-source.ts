/** The bytes of one piece of a split, read from its store. */
import { decompress } from '../../../lib/decompress.ts';
import { MillraceError } from '../../../lib/errors.ts';
import { inputCompressionOf } from '../../../lib/formats.ts';
import type { SplitPiece } from '../../../lib/job-spec.ts';
import { limits } from '../../../lib/limits.ts';
import { type Delimiter, type LineBlock, lineBlocks } from '../../../lib/line-blocks.ts';
import type { Stores } from '../../../lib/store/resolve.ts';
import type { StoreLocation } from '../../../lib/store/store.ts';

export interface ReadSplitOptions {
  readonly signal?: AbortSignal;
  /** Called with the stored bytes of the split as they are read; they add up to `split.bytes`. */
  readonly onBytes?: (bytes: number) => void;
  /** Default: the limit of that name. */
  readonly recordBytesMax?: number;
}

/** First step of reading on past the end of a piece, for its last record; each further one is twice as long. */
const overreadBytesMin = 64 * 1024;
const overreadBytesMax = 8 * 1024 * 1024;

export class PieceSource {
  readonly piece: SplitPiece;
  readonly recordBytesMax: number;
  readonly isCompressed: boolean;
  readonly #location: StoreLocation;
  readonly #options: ReadSplitOptions;

  constructor(piece: SplitPiece, stores: Stores, options: ReadSplitOptions) {
    this.piece = piece;
    this.recordBytesMax = options.recordBytesMax ?? limits.inputRecordBytesMax;
    this.isCompressed = inputCompressionOf(piece.uri) !== 'none';
    this.#location = stores.locate(piece.uri);
    this.#options = options;
  }

  /** The bytes of the piece, decompressed. */
  bytes(): AsyncIterable<Uint8Array> {
    const { uri, start, end } = this.piece;
    return decompress(this.#range(start, end, start), inputCompressionOf(uri), uri);
  }

  /**
   * The lines, or what else `delimiter` ends, whose first byte lies in the piece. It begins one byte early, to see whether a line begins
   * right at the start.
   */
  lines(delimiter?: Delimiter): AsyncIterable<LineBlock> {
    const { uri, start, end } = this.piece;
    const { recordBytesMax } = this;
    if (this.isCompressed) return lineBlocks(this.bytes(), { uri, delimiter, recordBytesMax });
    const from = Math.max(0, start - 1);
    const chunks = this.#rangeAndOn(from);
    const isInsideLine = start > 0;
    return lineBlocks(chunks, { uri, delimiter, offset: from, isInsideLine, end, recordBytesMax });
  }

  /** The lines of the whole object from its first, whatever the piece; for its header. Not counted as progress. */
  linesOfObject(): AsyncIterable<LineBlock> {
    const { uri, objectBytes } = this.piece;
    const { recordBytesMax } = this;
    const chunks = this.#read(0, objectBytes);
    return lineBlocks(decompress(chunks, inputCompressionOf(uri), uri), { uri, recordBytesMax });
  }

  /** The number, from 1, of the line that begins at `offset` of an uncompressed object. Reads all that is before it. */
  async lineNumberAt(offset: number): Promise<number> {
    let line = 1;
    for await (const chunk of this.#read(0, offset)) {
      for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, at + 1)) line++;
    }
    return line;
  }

  async *#rangeAndOn(from: number): AsyncGenerator<Uint8Array> {
    const { start, end, objectBytes } = this.piece;
    yield* this.#range(from, end, start);
    let step = overreadBytesMin;
    for (let at = end; at < objectBytes; ) {
      const stepEnd = Math.min(at + step, objectBytes);
      yield* this.#range(at, stepEnd, end);
      at = stepEnd;
      step = Math.min(step * 2, overreadBytesMax);
    }
  }

  /** Throws when the object has become shorter than it was when it was listed. */
  async *#range(from: number, end: number, countFrom: number): AsyncGenerator<Uint8Array> {
    let at = from;
    for await (const chunk of this.#read(from, end)) {
      at += chunk.length;
      const countedBytes = Math.min(at, this.piece.end) - Math.max(at - chunk.length, countFrom);
      if (countedBytes > 0) this.#options.onBytes?.(countedBytes);
      yield chunk;
    }
    if (at === end) return;
    throw new MillraceError(
      'input-changed',
      `${this.piece.uri} ended at byte ${at}, before ${end}: it became shorter`,
    );
  }

  #read(start: number, end: number): AsyncIterable<Uint8Array> {
    const { etag } = this.piece;
    const { signal } = this.#options;
    return this.#location.store.read(this.#location.key, {
      start,
      end,
      ...(etag === '' ? {} : { etag }),
      ...(signal ? { signal } : {}),
    });
  }
}
