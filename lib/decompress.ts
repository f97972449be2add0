/**
 * Streaming gzip and zstd. A file may hold several members or frames, as log rotation and parallel compressors make them.
 * Node's own zstd stream drops, without a word, the frames that follow in one write (seen on 24.21), and its gzip stream what
 * follows zero padding; so here every decoder is asked how much it took, and a fresh one gets the rest.
 */
import { createGunzip, createZstdDecompress, type Gunzip, type ZstdDecompress } from 'node:zlib';
import type { InputCompression } from './formats.ts';
import { limits } from './limits.ts';
import { MalformedRecordError } from './malformed-record.ts';

type Decoder = Gunzip | ZstdDecompress;

/** So little is fed at once that even the densest input makes no more than some tens of MiB of output. */
const feedBytes = 32 * 1024;

/**
 * The decompressed bytes of `chunks`; no bytes at all are an empty result. Corrupt or truncated input throws
 * MalformedRecordError with `uri` and the decompressed offset reached.
 */
export async function* decompress(
  chunks: AsyncIterable<Uint8Array>,
  compression: InputCompression,
  uri: string,
): AsyncGenerator<Uint8Array> {
  if (compression === 'none') {
    yield* chunks;
    return;
  }
  let producedBytes = 0;
  try {
    for await (const output of decompressMembers(chunks, compression)) {
      producedBytes += output.length;
      yield output;
    }
  } catch (error) {
    if (!(error instanceof DecoderError)) throw error;
    const reason = `the ${compression} data is damaged or cut short (${error.message})`;
    throw new MalformedRecordError(reason, { uri, line: 0, offset: producedBytes }, { cause: error.cause });
  }
}

/** An error of the compressed data, as opposed to one of whoever gives the chunks. */
class DecoderError extends Error {}

async function* decompressMembers(
  chunks: AsyncIterable<Uint8Array>,
  compression: 'gzip' | 'zstd',
): AsyncGenerator<Uint8Array> {
  let member: Member | undefined;
  let isFirst = true;
  try {
    for await (const chunk of chunks) {
      let at = 0;
      while (at < chunk.length) {
        // Tapes and some writers pad a gzip file with zeros.
        const isPadding = !member && !isFirst && compression === 'gzip' && chunk[at] === 0;
        if (isPadding) {
          at++;
          continue;
        }
        member ??= new Member(compression);
        isFirst = false;
        at += await member.feed(chunk.subarray(at, at + feedBytes));
        if (member.isOver) await member.finish();
        yield* member.takeOutput();
        if (member.isOver) member = undefined;
      }
    }
    if (!member) return;
    await member.finish();
    yield* member.takeOutput();
  } finally {
    member?.destroy();
  }
}

/** One decoder: a gzip member or zstd frame, and those after it for as long as the decoder goes on by itself. */
class Member {
  /** Set when the decoder took less than it was fed: its member is complete, and what follows is another. */
  isOver = false;
  readonly #decoder: Decoder;
  #output: Buffer[] = [];
  #fedBytes = 0;
  #error: Error | undefined;
  #stopWaiting: (value: unknown) => void = () => undefined;
  readonly #ended: Promise<void>;

  constructor(compression: 'gzip' | 'zstd') {
    const options = { chunkSize: limits.readChunkBytes };
    this.#decoder = compression === 'gzip' ? createGunzip(options) : createZstdDecompress(options);
    this.#decoder.on('data', (bytes: Buffer) => this.#output.push(bytes));
    this.#ended = new Promise((resolve) => {
      this.#decoder.on('end', resolve);
      this.#decoder.on('error', (error) => {
        this.#error = error;
        this.#stopWaiting(undefined);
        resolve();
      });
    });
  }

  /** How many of the bytes the decoder took. */
  async feed(bytes: Uint8Array): Promise<number> {
    const before = this.#decoder.bytesWritten;
    // A decoder that fails does not call back; it only emits its error, which ends it.
    await new Promise<unknown>((resolve) => {
      this.#stopWaiting = resolve;
      this.#decoder.write(bytes, resolve);
    });
    if (this.#error) throw decoderError(this.#error);
    this.#fedBytes += bytes.length;
    this.isOver = this.#decoder.bytesWritten < this.#fedBytes;
    return this.#decoder.bytesWritten - before;
  }

  async finish(): Promise<void> {
    if (!this.isOver) this.#decoder.end();
    await this.#ended;
    if (this.#error) throw decoderError(this.#error);
  }

  takeOutput(): Buffer[] {
    const output = this.#output;
    this.#output = [];
    return output;
  }

  destroy(): void {
    this.#decoder.destroy();
  }
}

function decoderError(error: Error): DecoderError {
  return new DecoderError(error.message, { cause: error });
}
