/**
 * Writing one output part: encode, compress, stage. Nothing of it is visible until the coordinator publishes it. Encoding is
 * synchronous; bytes leave in the background, and `write` gives a promise only when too much is waiting.
 */
import { crc32 } from 'node:zlib';
import { recordOfPair } from '../../lib/codec/decode-pair.ts';
import type { EncodedPair } from '../../lib/codec/pair.ts';
import { failpoint } from '../../lib/failpoints.ts';
import { type OutputFormat, partName } from '../../lib/formats.ts';
import type { AttemptId } from '../../lib/ids.ts';
import type { JobSpec, OpenPart, StagedPart } from '../../lib/job-spec.ts';
import { type Compressor, createCompressor } from '../../lib/output/compress.ts';
import { notPlain, pairSlackBytes } from '../../lib/output/encode-pair.ts';
import { createEncoder, type RecordEncoder } from '../../lib/output/encode-record.ts';
import type { Stores } from '../../lib/store/resolve.ts';
import type { StagedObject, StageWriter, StoreLocation } from '../../lib/store/store.ts';

/** Encoded bytes that may wait for the store before the writer is held up. */
const waitingBytesMax = 8 * 1024 * 1024;
/** Text leaves in pieces of about this many characters. */
const textPieceChars = 256 * 1024;
/** What is encoded straight into bytes leaves in blocks of this size, which are used again and again. */
const blockBytes = 1024 * 1024;

export interface PartWriter {
  /**
   * Takes the record as it is now; it may be changed afterwards. The promise, if there is one, is to be waited for before more
   * is written. Throws `not-encodable` for a record that the format cannot hold (nothing of it is written then), and what the
   * store threw in the background.
   */
  write(record: unknown): Promise<void> | undefined;
  /** The same for the record `[key, value]` of an encoded pair, and nothing is decoded when that can be helped. */
  writePair(pair: EncodedPair): Promise<void> | undefined;
  /** Everything is held by the store. After it failed, `abort` is still to be called. */
  finish(): Promise<StagedPart>;
  /** Drops the part, also a finished one. */
  abort(): Promise<void>;
}

/** Told what a task stages, so that it can be dropped whatever becomes of the task. */
export interface PartListener {
  /** The store is about to be asked: until `opened`, or the end of the task, it may hold something that nobody can name. */
  onPartOpening(): void;
  /** What it takes to drop the part, before the first byte of it is written. */
  onPartOpened(part: OpenPart): void;
}

export interface OpenPartOptions {
  readonly spec: JobSpec;
  /** Whose output: of a reduce, or of a map of a map-only job. */
  readonly kind: 'map' | 'reduce';
  readonly index: number;
  readonly attempt: AttemptId;
  readonly stores: Stores;
  readonly partListener?: PartListener | undefined;
}

/** The part of a task, under its contract name in the job's output folder. */
export async function openPart(options: OpenPartOptions): Promise<PartWriter> {
  const { spec, kind, index, attempt, stores, partListener } = options;
  const location = stores.locate(`${spec.outputUri}${partName(kind, spec.partOffset + index)}`);
  return await createPartWriter(location, spec.output, attempt.jobId, partListener);
}

/** `owner` is the job's id: it groups what the store keeps until the job ends. */
export async function createPartWriter(
  location: StoreLocation,
  format: OutputFormat,
  owner: string,
  partListener?: PartListener,
): Promise<PartWriter> {
  partListener?.onPartOpening();
  const writer = await location.store.stage(location.key, owner);
  failpoint('part.staged');
  partListener?.onPartOpened({ uri: location.uri, token: writer.token });
  return new StagedPartWriter(location, format, writer);
}

class StagedPartWriter implements PartWriter {
  readonly #location: StoreLocation;
  readonly #encoder: RecordEncoder;
  readonly #compressor: Compressor;
  readonly #writer: StageWriter;
  /** Encoded but not on its way: what is in the block, then the text. */
  #block: Buffer | undefined;
  #blockUsed = 0;
  #text = '';
  readonly #freeBlocks: Buffer[] = [];
  /** On its way. */
  #waitingBytes = 0;
  #tail: Promise<void> = Promise.resolve();
  #failure: { readonly thrown: unknown } | undefined;
  #staged: StagedObject | undefined;
  #records = 0;
  #storedBytes = 0;
  #crc32 = 0;

  constructor(location: StoreLocation, format: OutputFormat, writer: StageWriter) {
    this.#location = location;
    this.#encoder = createEncoder(format);
    this.#compressor = createCompressor(format.compression);
    this.#writer = writer;
  }

  write(record: unknown): Promise<void> | undefined {
    if (this.#failure) throw this.#failure.thrown;
    const encoded = this.#encoder.encode(record);
    if (typeof encoded === 'string') this.#addText(encoded);
    else this.#addBytes(encoded);
    return this.#written();
  }

  writePair(pair: EncodedPair): Promise<void> | undefined {
    if (this.#failure) throw this.#failure.thrown;
    const bytesMax = pair.valueEnd - pair.keyStart + pairSlackBytes;
    if (bytesMax > blockBytes) return this.write(recordOfPair(pair));
    const block = this.#blockFor(bytesMax);
    const end = this.#encoder.encodePair(pair, block, this.#blockUsed);
    if (end === notPlain) return this.write(recordOfPair(pair));
    this.#blockUsed = end;
    return this.#written();
  }

  async finish(): Promise<StagedPart> {
    this.#sendEncoded();
    await this.#sent();
    for (const bytes of await this.#compressor.end()) await this.#store(bytes);
    failpoint('part.seal-before');
    this.#staged = await this.#writer.seal();
    failpoint('part.sealed');
    return {
      uri: this.#location.uri,
      token: this.#staged.token,
      bytes: this.#storedBytes,
      records: this.#records,
      crc32: this.#crc32,
      columns: this.#encoder.columns(),
    };
  }

  async abort(): Promise<void> {
    this.#failure ??= { thrown: new Error('the part was aborted') };
    await this.#tail;
    this.#compressor.destroy();
    if (this.#staged) await this.#location.store.discard(this.#staged);
    else await this.#writer.abort();
  }

  #written(): Promise<void> | undefined {
    this.#records++;
    return this.#waitingBytes > waitingBytesMax ? this.#sent() : undefined;
  }

  #addText(text: string): void {
    // A part that is made of both is not cut into a piece for each.
    if (this.#blockUsed > 0) return this.#addBytes(Buffer.from(text));
    this.#text += text;
    if (this.#text.length >= textPieceChars) this.#sendEncoded();
  }

  #addBytes(bytes: Uint8Array): void {
    if (bytes.length > blockBytes) {
      this.#sendEncoded();
      this.#send(bytes.slice());
      return;
    }
    this.#blockFor(bytes.length).set(bytes, this.#blockUsed);
    this.#blockUsed += bytes.length;
  }

  /** The block, with room for so many bytes behind what is in it. */
  #blockFor(bytes: number): Buffer {
    if (this.#text !== '' || this.#blockUsed + bytes > blockBytes) this.#sendEncoded();
    this.#block ??= this.#freeBlocks.pop() ?? Buffer.allocUnsafeSlow(blockBytes);
    return this.#block;
  }

  #sendEncoded(): void {
    const block = this.#block;
    if (block !== undefined && this.#blockUsed > 0) {
      this.#send(block.subarray(0, this.#blockUsed), block);
      this.#block = undefined;
      this.#blockUsed = 0;
    }
    if (this.#text !== '') this.#send(Buffer.from(this.#text));
    this.#text = '';
  }

  /** `block`: to be used again when the bytes have gone. */
  #send(bytes: Uint8Array, block?: Buffer): void {
    this.#waitingBytes += bytes.length;
    this.#tail = this.#sendAfter(this.#tail, bytes, block);
  }

  /** Never rejects: a failure is kept for the next call, because nobody may be waiting. */
  async #sendAfter(before: Promise<void>, bytes: Uint8Array, block: Buffer | undefined): Promise<void> {
    await before;
    try {
      if (this.#failure) return;
      failpoint('part.piece');
      for (const output of await this.#compressor.push(bytes)) await this.#store(output);
    } catch (thrown) {
      this.#failure ??= { thrown };
    } finally {
      this.#waitingBytes -= bytes.length;
      if (block !== undefined) this.#freeBlocks.push(block);
    }
  }

  async #store(bytes: Uint8Array): Promise<void> {
    await this.#writer.write(bytes);
    this.#crc32 = crc32(bytes, this.#crc32);
    this.#storedBytes += bytes.length;
  }

  async #sent(): Promise<void> {
    await this.#tail;
    if (this.#failure) throw this.#failure.thrown;
  }
}
