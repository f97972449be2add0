/**
 * Where a reduce attempt keeps what it has fetched: in shared memory up to a budget, beyond that in one local file. What it
 * hands out can be sent to the thread that reduces without a copy. A segment counts only when its crc32 is right.
 */
import { type FileHandle, open, rm } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import { MillraceError } from '../../lib/errors.ts';
import { failpoint } from '../../lib/failpoints.ts';
import type { SegmentCounts } from '../../lib/job-spec.ts';
import { formatCrc32 } from '../../lib/segment-digest.ts';
import type { SegmentSource } from './segment-reader.ts';

/** Takes the bytes of one segment in order. Exactly one of `finish` and `abort` ends it. */
export interface SegmentSink {
  /** Throws `corrupt` for more bytes than announced, `no-space` when the disk is full. The bytes are free again afterwards. */
  write(bytes: Buffer): Promise<void>;
  /** Throws `corrupt` when bytes are missing or their crc32 is not the announced one. */
  finish(): SegmentSource;
  abort(): void;
}

/** Waits for room on the disk. */
export type TakeSpace = (bytes: number) => Promise<void>;

export class SegmentStore {
  readonly #path: string;
  readonly #takeSpace: TakeSpace;
  #memoryBytesLeft: number;
  #file: Promise<FileHandle> | undefined;
  #fileEnd = 0;

  /** `path`: a file that may be made, in a folder that exists. What it takes of the disk it never gives back: see `discard`. */
  constructor(path: string, memoryBytesMax: number, takeSpace: TakeSpace = async () => undefined) {
    this.#path = path;
    this.#takeSpace = takeSpace;
    this.#memoryBytesLeft = memoryBytesMax;
  }

  /** Throws `no-space` when there is none on the disk, after patience. */
  async begin(name: string, counts: SegmentCounts): Promise<SegmentSink> {
    if (counts.bytes <= this.#memoryBytesLeft) {
      this.#memoryBytesLeft -= counts.bytes;
      return new MemorySink(name, counts, () => {
        this.#memoryBytesLeft += counts.bytes;
      });
    }
    await this.#takeSpace(counts.bytes);
    const offset = this.#fileEnd;
    this.#fileEnd += counts.bytes;
    this.#file ??= this.#open();
    return new FileSink(name, counts, this.#path, offset, this.#file);
  }

  #open(): Promise<FileHandle> {
    const file = open(this.#path, 'w');
    // Whoever writes hears of it; a fetch that ends before its first byte writes nothing.
    file.catch(() => undefined);
    return file;
  }

  /** Closes the file; what was handed out can still be read. */
  async close(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    // One that could not be made is not open.
    await file?.then(
      (handle) => handle.close(),
      () => undefined,
    );
  }

  /** Closes and removes the file; its space goes back with all that its attempt holds. */
  async discard(): Promise<void> {
    await this.close();
    await rm(this.#path, { force: true });
  }
}

/** Counts and checks what passes; where it goes is the subclass's. */
abstract class CheckedSink implements SegmentSink {
  protected readonly name: string;
  protected readonly counts: SegmentCounts;
  protected received = 0;
  #crc = 0;

  constructor(name: string, counts: SegmentCounts) {
    this.name = name;
    this.counts = counts;
  }

  async write(bytes: Buffer): Promise<void> {
    if (this.received + bytes.length > this.counts.bytes) {
      throw new MillraceError(
        'corrupt',
        `${this.name} has more than the ${this.counts.bytes} bytes it should`,
      );
    }
    this.#crc = crc32(bytes, this.#crc);
    await this.put(bytes, this.received);
    this.received += bytes.length;
  }

  finish(): SegmentSource {
    if (this.received !== this.counts.bytes) {
      throw new MillraceError(
        'corrupt',
        `${this.name} has ${this.received} of its ${this.counts.bytes} bytes`,
      );
    }
    if (this.#crc !== this.counts.crc32) {
      const [came, should] = [this.#crc, this.counts.crc32].map(formatCrc32);
      throw new MillraceError('corrupt', `${this.name} has the wrong crc32, ${came} instead of ${should}`);
    }
    return this.source();
  }

  abstract abort(): void;
  protected abstract put(bytes: Buffer, at: number): Promise<void>;
  protected abstract source(): SegmentSource;
}

class MemorySink extends CheckedSink {
  readonly #bytes: Buffer;
  readonly #release: () => void;

  constructor(name: string, counts: SegmentCounts, release: () => void) {
    super(name, counts);
    this.#bytes = Buffer.from(new SharedArrayBuffer(counts.bytes));
    this.#release = release;
  }

  abort(): void {
    this.#release();
  }

  protected async put(bytes: Buffer, at: number): Promise<void> {
    // As `bytes.copy` would, but that goes word by word where the target is shared memory.
    this.#bytes.fill(bytes, at, at + bytes.length);
  }

  protected source(): SegmentSource {
    return { kind: 'memory', name: this.name, counts: this.counts, bytes: this.#bytes };
  }
}

class FileSink extends CheckedSink {
  readonly #path: string;
  readonly #offset: number;
  readonly #file: Promise<FileHandle>;

  constructor(name: string, counts: SegmentCounts, path: string, offset: number, file: Promise<FileHandle>) {
    super(name, counts);
    this.#path = path;
    this.#offset = offset;
    this.#file = file;
  }

  abort(): void {
    // Its place in the file stays unused: a fetch that failed is rare and the file goes with the attempt.
  }

  protected async put(bytes: Buffer, at: number): Promise<void> {
    try {
      const file = await this.#file;
      failpoint('fetch.to-disk');
      for (let done = 0; done < bytes.length; ) {
        done += (await file.write(bytes, done, bytes.length - done, this.#offset + at + done)).bytesWritten;
      }
    } catch (error) {
      const { code, message } = MillraceError.from(error, 'store-failed');
      throw new MillraceError(code, `${this.#path}: ${message}`, { cause: error });
    }
  }

  protected source(): SegmentSource {
    return { kind: 'file', name: this.name, counts: this.counts, path: this.#path, offset: this.#offset };
  }
}
