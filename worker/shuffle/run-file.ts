/**
 * A run on disk: the output of one map attempt, or a spill. One segment per partition, each sorted by key, then an index.
 *
 *   header   "MRUN", version (u32 LE)
 *   segments framed pairs (lib/codec/pair.ts), partition 0 first, nothing between them
 *   footer   per partition: offset, bytes, records (each u32 low, u32 high LE), crc32 of the segment (u32 LE)
 *   trailer  partitions (u32), footer bytes (u32), crc32 of footer and these two (u32), "NURM"
 *
 * Written to `<path>.tmp` and renamed when whole. Not synced to disk: after a power loss the worker is gone with its outputs, and
 * a torn file is refused by its trailer or by the crc32 of a segment. All calls are synchronous, for the thread of user code.
 */
import { closeSync, fstatSync, openSync, readSync, renameSync, rmSync, writeSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import { copyBytes } from '../../lib/codec/pair.ts';
import { MillraceError } from '../../lib/errors.ts';
import { failpoint } from '../../lib/failpoints.ts';
import type { SegmentCounts } from '../../lib/job-spec.ts';
import { type ScratchSpace, unlimitedSpace } from './scratch-space.ts';

export const runVersion = 1;

const headerMagic = 0x4e55524d;
const trailerMagic = 0x4d52554e;
const headerBytes = 8;
const entryBytes = 28;
const trailerBytes = 16;
const writeBufferBytesDefault = 1024 * 1024;

/** Where a segment lies in its file, and what it holds. */
export interface RunSegment extends SegmentCounts {
  readonly offset: number;
}

/** A finished run. `segments[p]` is partition p. */
export interface RunSummary {
  readonly path: string;
  /** Of the whole file. */
  readonly bytes: number;
  readonly segments: readonly RunSegment[];
}

export interface RunWriterOptions {
  /** Asked before bytes are written; keeps what the finished file has. */
  readonly space?: ScratchSpace;
  /** At most so many bytes of pairs will come: room for all of them is taken before the first, and given back if they are fewer. */
  readonly pairBytes?: number | undefined;
  readonly bufferBytes?: number;
  /** For tests: opens the file to write. */
  readonly open?: (path: string) => number;
}

/** Writes a run front to back: partitions in ascending order. Exactly one of `finish` and `abort` ends it. */
export class RunWriter {
  readonly path: string;
  readonly partitions: number;
  readonly #fd: number;
  readonly #space: ScratchSpace;
  #takenBytes = 0;
  #closed = false;
  readonly #buffer: Buffer;
  #at = headerBytes;
  /** File offset of the first byte of the buffer. */
  #flushed = 0;
  #partition = 0;
  #segmentOffset = headerBytes;
  /** Where in the buffer the bytes begin that `#crc` does not cover yet. */
  #crcFrom = headerBytes;
  #crc = 0;
  #records = 0;
  readonly #segments: RunSegment[] = [];

  /** Throws `no-space` naming the path when the disk is full or the space is used up, as every write here does. */
  constructor(path: string, partitions: number, options: RunWriterOptions = {}) {
    this.path = path;
    this.partitions = partitions;
    this.#space = options.space ?? unlimitedSpace;
    if (options.pairBytes !== undefined) this.#takeUpTo(runBytes(options.pairBytes, partitions));
    this.#buffer = Buffer.allocUnsafeSlow(
      Math.max(options.bufferBytes ?? writeBufferBytesDefault, headerBytes),
    );
    this.#fd = this.#try(() => {
      failpoint('run.open');
      return (options.open ?? ((at) => openSync(at, 'w')))(this.#temporary);
    });
    encodeHeader().copy(this.#buffer);
  }

  get #temporary(): string {
    return `${this.path}.tmp`;
  }

  /** Appends the framed pairs `bytes[start, end)`, `records` of them, to a partition that is not before the last one given. */
  append(partition: number, bytes: Buffer, start: number, end: number, records = 1): void {
    if (partition !== this.#partition) this.#beginPartition(partition);
    this.#records += records;
    this.#put(bytes, start, end);
  }

  /** Closes the file and gives it its name. */
  finish(): RunSummary {
    this.#beginPartition(this.partitions);
    const index = encodeIndex(this.#segments);
    this.#try(() => failpoint('run.footer'));
    this.#put(index, 0, index.length);
    this.#flush();
    const bytes = this.#flushed;
    this.#close();
    this.#try(() => {
      failpoint('run.rename-before');
      renameSync(this.#temporary, this.path);
      failpoint('run.rename-after');
    });
    if (this.#takenBytes > bytes) this.#space.give(this.#takenBytes - bytes);
    return { path: this.path, bytes, segments: this.#segments };
  }

  /** Removes what was written; its space goes back with all that the attempt holds. Safe after a failed `finish`, and twice. */
  abort(): void {
    this.#close();
    rmSync(this.#temporary, { force: true });
  }

  #beginPartition(partition: number): void {
    if (partition < this.#partition || partition > this.partitions) {
      throw new MillraceError(
        'internal',
        `partition ${partition} after ${this.#partition} of ${this.partitions} in ${this.path}`,
      );
    }
    this.#coverCrc();
    const end = this.#flushed + this.#at;
    while (this.#partition < partition) {
      const bytes = end - this.#segmentOffset;
      this.#segments.push({ offset: this.#segmentOffset, bytes, records: this.#records, crc32: this.#crc });
      this.#segmentOffset = end;
      this.#records = 0;
      this.#crc = 0;
      this.#partition++;
    }
  }

  #put(bytes: Buffer, start: number, end: number): void {
    const buffer = this.#buffer;
    const length = end - start;
    if (length <= buffer.length - this.#at) {
      copyBytes(bytes, start, end, buffer, this.#at);
      this.#at += length;
      return;
    }
    for (let from = start; from < end; ) {
      if (this.#at === buffer.length) this.#flush();
      const part = Math.min(end - from, buffer.length - this.#at);
      bytes.copy(buffer, this.#at, from, from + part);
      this.#at += part;
      from += part;
    }
  }

  #coverCrc(): void {
    if (this.#crcFrom < this.#at)
      this.#crc = crc32(this.#buffer.subarray(this.#crcFrom, this.#at), this.#crc);
    this.#crcFrom = this.#at;
  }

  #takeUpTo(bytes: number): void {
    if (bytes <= this.#takenBytes) return;
    this.#space.take(bytes - this.#takenBytes);
    this.#takenBytes = bytes;
  }

  #flush(): void {
    this.#coverCrc();
    this.#takeUpTo(this.#flushed + this.#at);
    let from = 0;
    this.#try(() => failpoint('run.flush'));
    while (from < this.#at) from += this.#try(() => writeSync(this.#fd, this.#buffer, from, this.#at - from));
    this.#flushed += this.#at;
    this.#at = 0;
    this.#crcFrom = 0;
  }

  #close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#try(() => closeSync(this.#fd));
  }

  #try<T>(call: () => T): T {
    try {
      return call();
    } catch (thrown) {
      throw diskError(thrown, `cannot write ${this.path}`);
    }
  }
}

/** The bytes of a run file whose partition p has the framed pairs of `read(p)`, for whoever writes it somewhere else than on this disk. */
export async function* encodeRun(
  segments: readonly SegmentCounts[],
  read: (partition: number) => AsyncIterable<Buffer>,
): AsyncGenerator<Buffer> {
  yield encodeHeader();
  let offset = headerBytes;
  const placed: RunSegment[] = [];
  for (const [partition, counts] of segments.entries()) {
    yield* read(partition);
    placed.push({ ...counts, offset });
    offset += counts.bytes;
  }
  yield encodeIndex(placed);
}

function encodeHeader(): Buffer {
  const header = Buffer.alloc(headerBytes);
  header.writeUInt32LE(headerMagic, 0);
  header.writeUInt32LE(runVersion, 4);
  return header;
}

/** Of a whole file with so many bytes of pairs in it. */
export function runBytes(pairBytes: number, partitions: number): number {
  return headerBytes + pairBytes + partitions * entryBytes + trailerBytes;
}

function encodeIndex(segments: readonly RunSegment[]): Buffer {
  const footerBytes = segments.length * entryBytes;
  const index = Buffer.alloc(footerBytes + trailerBytes);
  let at = 0;
  for (const segment of segments) {
    at = writeUint64(index, at, segment.offset);
    at = writeUint64(index, at, segment.bytes);
    at = writeUint64(index, at, segment.records);
    at = index.writeUInt32LE(segment.crc32, at);
  }
  at = index.writeUInt32LE(segments.length, at);
  at = index.writeUInt32LE(footerBytes, at);
  at = index.writeUInt32LE(crc32(index.subarray(0, at)), at);
  index.writeUInt32LE(trailerMagic, at);
  return index;
}

function writeUint64(target: Buffer, at: number, value: number): number {
  target.writeUInt32LE(value % 2 ** 32, at);
  return target.writeUInt32LE(Math.floor(value / 2 ** 32), at + 4);
}

function readUint64(bytes: Buffer, at: number): number {
  return bytes.readUInt32LE(at) + bytes.readUInt32LE(at + 4) * 2 ** 32;
}

/** Opens a finished run and checks its index; never accepts a torn or changed one. Segment bytes are checked by who reads them. */
export class RunReader {
  readonly path: string;
  readonly fd: number;
  readonly bytes: number;
  readonly partitions: number;
  readonly #segments: readonly RunSegment[];
  #closed = false;

  /** Throws `corrupt` naming the file and what is wrong, `not-found` when it is gone. */
  constructor(path: string) {
    this.path = path;
    this.fd = openToRead(path);
    try {
      this.bytes = fstatSync(this.fd).size;
      this.#segments = this.#readIndex();
    } catch (thrown) {
      closeSync(this.fd);
      throw diskError(thrown, `cannot read ${path}`);
    }
    this.partitions = this.#segments.length;
  }

  /** Where partition `partition` lies, and its counts. */
  segment(partition: number): RunSegment {
    const segment = this.#segments[partition];
    if (segment) return segment;
    throw new MillraceError(
      'invalid-argument',
      `partition ${partition} is not in [0, ${this.partitions}) of ${this.path}`,
    );
  }

  /** Fills `target` from its start with the bytes of the file from `offset` on. Throws `corrupt` when the file ends before. */
  read(offset: number, target: Uint8Array): void {
    readFully(this.fd, this.path, offset, target);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    closeSync(this.fd);
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #corrupt(what: string): MillraceError {
    return new MillraceError('corrupt', `run file ${this.path} is corrupt: ${what}`);
  }

  #readIndex(): RunSegment[] {
    if (this.bytes < headerBytes + trailerBytes) throw this.#corrupt(`it has only ${this.bytes} bytes`);
    const header = Buffer.alloc(headerBytes);
    this.read(0, header);
    if (header.readUInt32LE(0) !== headerMagic) throw this.#corrupt('its header is not that of a run');
    const version = header.readUInt32LE(4);
    if (version !== runVersion) throw this.#corrupt(`it has version ${version}, not ${runVersion}`);
    const trailer = Buffer.alloc(trailerBytes);
    this.read(this.bytes - trailerBytes, trailer);
    if (trailer.readUInt32LE(12) !== trailerMagic)
      throw this.#corrupt('it does not end with the mark of a whole run');
    const partitions = trailer.readUInt32LE(0);
    const footerBytes = trailer.readUInt32LE(4);
    if (footerBytes !== partitions * entryBytes || footerBytes > this.bytes - headerBytes - trailerBytes) {
      throw this.#corrupt(`an index of ${footerBytes} bytes for ${partitions} partitions`);
    }
    const footer = Buffer.alloc(footerBytes + 8);
    this.read(this.bytes - trailerBytes - footerBytes, footer);
    if (crc32(footer) !== trailer.readUInt32LE(8)) throw this.#corrupt('the crc32 of its index is wrong');
    return this.#decodeIndex(footer, partitions, this.bytes - trailerBytes - footerBytes);
  }

  #decodeIndex(footer: Buffer, partitions: number, segmentsEnd: number): RunSegment[] {
    const segments: RunSegment[] = [];
    let end = headerBytes;
    for (let at = 0; at < partitions * entryBytes; at += entryBytes) {
      const offset = readUint64(footer, at);
      const bytes = readUint64(footer, at + 8);
      if (offset !== end)
        throw this.#corrupt(`segment ${segments.length} begins at ${offset}, not at ${end}`);
      segments.push({
        offset,
        bytes,
        records: readUint64(footer, at + 16),
        crc32: footer.readUInt32LE(at + 24),
      });
      end += bytes;
    }
    if (end !== segmentsEnd) throw this.#corrupt(`its segments end at ${end}, not at ${segmentsEnd}`);
    return segments;
  }
}

/** Opens a file to read. Throws `not-found` naming it when it is gone. */
export function openToRead(path: string): number {
  try {
    return openSync(path, 'r');
  } catch (thrown) {
    throw diskError(thrown, `cannot read ${path}`);
  }
}

/** Reads exactly `target.length` bytes at `offset`. Throws `corrupt` when the file ends before, or cannot be read there. */
export function readFully(fd: number, path: string, offset: number, target: Uint8Array): void {
  let done = 0;
  while (done < target.length) {
    const count = readSome(fd, path, offset + done, target.subarray(done));
    if (count === 0)
      throw new MillraceError('corrupt', `${path} is corrupt: it ends at byte ${offset + done}`);
    done += count;
  }
}

function readSome(fd: number, path: string, offset: number, target: Uint8Array): number {
  try {
    return readSync(fd, target, 0, target.length, offset);
  } catch (error) {
    const message = `${path} cannot be read at byte ${offset}: ${MillraceError.from(error).message}`;
    throw new MillraceError('corrupt', message, { cause: error });
  }
}

function diskError(thrown: unknown, what: string): MillraceError {
  const error = MillraceError.from(thrown);
  if (error === thrown) return error;
  return new MillraceError(error.code, `${what}: ${error.message}`, { cause: thrown });
}
