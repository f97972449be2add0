/** Bytes on their way into a multipart upload: parts are sent from a few buffers that are used again and again. */
import { UploadPartCommand } from '@aws-sdk/client-s3';
import { MillraceError } from '../../errors.ts';
import { failpoint } from '../../failpoints.ts';
import { limits } from '../../limits.ts';
import type { StagedObject, StageWriter } from '../store.ts';
import { s3Error } from './s3-errors.ts';
import { abortUpload, partChecksum, type S3Object, uploadIdOf } from './uploads.ts';

/** A part has so many times the bytes of the smallest; it doubles, so that large objects do not run out of part numbers. */
const partsPerSize = 2_500;

export class UploadWriter implements StageWriter {
  readonly token: string;
  readonly #object: S3Object;
  readonly #uploadId: string;
  readonly #stop = new AbortController();
  readonly #inFlight = new Set<Promise<void>>();
  #free: Buffer[] = [];
  /** Being filled. */
  #buffer: Buffer | undefined;
  #filled = 0;
  #parts = 0;
  #bytes = 0;
  #failure: MillraceError | undefined;

  constructor(object: S3Object, token: string) {
    this.token = token;
    this.#object = object;
    this.#uploadId = uploadIdOf(token);
  }

  async write(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length; ) {
      const buffer = await this.#bufferToFill();
      const taken = bytes.subarray(at, at + buffer.length - this.#filled);
      buffer.set(taken, this.#filled);
      at += taken.length;
      this.#filled += taken.length;
      this.#bytes += taken.length;
      if (this.#filled === buffer.length) this.#send(buffer);
    }
  }

  async seal(): Promise<StagedObject> {
    // An upload without parts cannot be completed: an empty object has one, which is empty.
    if (this.#parts === 0 || this.#filled > 0) this.#send(await this.#bufferToFill());
    await Promise.all(this.#inFlight);
    if (this.#failure) throw this.#failure;
    return { key: this.#object.key, token: this.token, bytes: this.#bytes };
  }

  async abort(): Promise<void> {
    this.#stop.abort();
    // A part that arrives after the abort could stay for ever.
    await Promise.all(this.#inFlight);
    this.#buffer = undefined;
    this.#free = [];
    try {
      await abortUpload(this.#object, this.#uploadId);
    } catch (thrown) {
      throw this.#error('discard', thrown);
    }
  }

  /** Waits for a buffer to become free. Throws what a part in the background failed with. */
  async #bufferToFill(): Promise<Buffer> {
    while (!this.#failure && !this.#buffer && this.#inFlight.size >= limits.s3PartsInFlightMax) {
      await Promise.race(this.#inFlight);
    }
    if (this.#failure) throw this.#failure;
    this.#buffer ??= this.#takeBuffer();
    return this.#buffer;
  }

  #takeBuffer(): Buffer {
    const wanted = partBytes(this.#parts + 1);
    if (wanted === undefined) {
      throw new MillraceError(
        'limit-exceeded',
        `s3://${this.#object.bucket}/${this.#object.key} is over ${this.#bytes} bytes, more than an upload of ` +
          `${limits.s3PartsMax} parts holds; use more reducers (-r)`,
      );
    }
    const free = this.#free.pop();
    return free?.length === wanted ? free : Buffer.allocUnsafeSlow(wanted);
  }

  #send(buffer: Buffer): void {
    this.#parts++;
    const sent = this.#upload(this.#parts, buffer.subarray(0, this.#filled)).then(
      () => {
        this.#free.push(buffer);
      },
      (thrown: unknown) => {
        this.#failure ??= this.#error('write', thrown);
      },
    );
    this.#buffer = undefined;
    this.#filled = 0;
    this.#inFlight.add(sent);
    sent.then(() => this.#inFlight.delete(sent));
  }

  async #upload(number: number, bytes: Buffer): Promise<void> {
    const { connection, bucket, key } = this.#object;
    failpoint('s3.piece-before');
    await connection.client.send(
      new UploadPartCommand({
        Bucket: bucket,
        Key: key,
        UploadId: this.#uploadId,
        PartNumber: number,
        Body: bytes,
        ChecksumAlgorithm: partChecksum(connection),
      }),
      { abortSignal: this.#stop.signal },
    );
    failpoint('s3.piece-after');
  }

  #error(verb: string, thrown: unknown): MillraceError {
    const { connection, bucket, key } = this.#object;
    return s3Error(verb, { bucket, key, settings: connection.settings }, thrown);
  }
}

/** Of the part with this number, from 1; undefined past the last that S3 takes. 292 GiB in all. */
export function partBytes(number: number): number | undefined {
  if (number > limits.s3PartsMax) return undefined;
  return limits.s3PartBytesMin * 2 ** Math.floor((number - 1) / partsPerSize);
}
