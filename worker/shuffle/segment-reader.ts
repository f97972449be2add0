/** Reads the pairs of one segment, from memory or in bounded chunks from a file, and checks it against its counts. */
import { closeSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import { PairCursor } from '../../lib/codec/pair.ts';
import { MillraceError } from '../../lib/errors.ts';
import type { SegmentCounts } from '../../lib/job-spec.ts';
import { limits } from '../../lib/limits.ts';
import { openToRead, readFully } from './run-file.ts';

/** Sorted, framed pairs, and where they are. */
export type SegmentSource =
  | {
      readonly kind: 'memory';
      /** For the message when it is corrupt: `map m3.0 from worker-2`. */
      readonly name: string;
      readonly counts: SegmentCounts;
      readonly bytes: Buffer;
    }
  | {
      readonly kind: 'file';
      readonly name: string;
      readonly counts: SegmentCounts;
      readonly path: string;
      readonly offset: number;
      /** An open file to read from and leave open; without it the reader opens and closes `path`. */
      readonly fd?: number;
    };

/**
 * A pair stream over one segment. A segment in memory is checked before its first pair, one in a file when its last byte has been
 * read; what differs from the counts throws `corrupt` naming the source.
 */
export class SegmentReader extends PairCursor {
  readonly #source: SegmentSource;
  readonly #fd: number;
  #offset = 0;
  #remaining = 0;
  #crc = 0;
  #records = 0;
  #closed = false;

  /** `chunkBytes`: how much of a file is held; grows for pairs that are larger. */
  constructor(source: SegmentSource, chunkBytes: number) {
    super(
      source.kind === 'memory'
        ? source.bytes
        : Buffer.allocUnsafeSlow(Math.min(chunkBytes, source.counts.bytes)),
      0,
      0,
    );
    this.#source = source;
    if (source.kind === 'memory') {
      this.#fd = -1;
      this.end = source.bytes.length;
      this.#crc = crc32(source.bytes);
      if (this.end !== source.counts.bytes)
        throw this.#corrupt(`has ${this.end} bytes, not ${source.counts.bytes}`);
      this.#checkCrc();
    } else {
      this.#fd = source.fd ?? openToRead(source.path);
      this.#offset = source.offset;
      this.#remaining = source.counts.bytes;
    }
  }

  override advance(): boolean {
    while (!this.tryAdvance()) if (!this.#refill()) return false;
    this.#records++;
    return true;
  }

  /** Closes the file if this opened it. May be called twice. */
  close(): void {
    if (this.#source.kind === 'memory' || this.#source.fd !== undefined || this.#closed) return;
    this.#closed = true;
    closeSync(this.#fd);
  }

  #refill(): boolean {
    const rest = this.end - this.next;
    if (this.#remaining === 0) {
      if (rest > 0) throw this.#corrupt(`ends in the middle of a pair (${rest} bytes left over)`);
      this.#checkCrc();
      if (this.#records !== this.#source.counts.records) {
        throw this.#corrupt(`has ${this.#records} records, not ${this.#source.counts.records}`);
      }
      return false;
    }
    let target = this.bytes;
    if (rest === target.length) {
      if (rest > limits.pairBytesMax + 32)
        throw this.#corrupt(`has a pair over ${limits.pairBytesMax} bytes`);
      target = Buffer.allocUnsafeSlow(Math.min(rest * 2, rest + this.#remaining));
    }
    this.bytes.copy(target, 0, this.next, this.end);
    const count = Math.min(this.#remaining, target.length - rest);
    const chunk = target.subarray(rest, rest + count);
    readFully(this.#fd, this.#source.name, this.#offset, chunk);
    this.#crc = crc32(chunk, this.#crc);
    this.#offset += count;
    this.#remaining -= count;
    this.reset(target, 0, rest + count);
    return true;
  }

  #checkCrc(): void {
    if (this.#crc !== this.#source.counts.crc32) throw this.#corrupt('has the wrong crc32');
  }

  #corrupt(what: string): MillraceError {
    return new MillraceError('corrupt', `the segment ${this.#source.name} is corrupt: it ${what}`);
  }
}
