/**
 * One range of an object on its way into memory, at the speed of the store and not of the reader, so that a silent socket always
 * means a silent store. A body that breaks or ends early is taken up again where it stopped.
 */
import { addAbortSignal, type Readable } from 'node:stream';
import { MillraceError } from '../../errors.ts';
import { limits } from '../../limits.ts';
import { backOff } from './backoff.ts';
import { describeFailure } from './s3-errors.ts';

/** Smaller pieces of a body are put together. */
const passedBytesMin = 8 * 1024;
const smallBytesMax = 64 * 1024;

export interface RangeBody {
  readonly stream: Readable;
  readonly etag: string;
  /** Of the whole object. */
  readonly objectBytes: number;
}

/** Asks for the bytes from `from` on, to `to` at most; throws a MillraceError, after its own repetitions. */
export type GetRange = (
  from: number,
  to: number,
  etag: string | undefined,
  signal: AbortSignal,
) => Promise<RangeBody>;

export interface RangeFetchOptions {
  readonly from: number;
  /** Exclusive; beyond the end of the object means its end. */
  readonly to: number;
  /** Another version of the object is `input-changed`. */
  readonly etag: string | undefined;
  readonly signal: AbortSignal;
  /** For errors. */
  readonly uri: string;
}

export class RangeFetch {
  /** As it was asked for. */
  readonly to: number;
  /** Of the first answer. Handled: whoever does not ask for it still gets the failure from `chunks`. */
  readonly opened: Promise<Pick<RangeBody, 'etag' | 'objectBytes'>>;
  readonly #get: GetRange;
  readonly #options: RangeFetchOptions;
  #at: number;
  #to: number;
  #etag: string | undefined;
  #small: Buffer | undefined;
  #smallFilled = 0;
  #ready: Uint8Array[] = [];
  #isDone = false;
  #failure: { readonly thrown: unknown } | undefined;
  #wake: () => void = () => undefined;

  constructor(get: GetRange, options: RangeFetchOptions) {
    this.#get = get;
    this.#options = options;
    this.#at = options.from;
    this.to = options.to;
    this.#to = options.to;
    this.#etag = options.etag;
    const opened = Promise.withResolvers<Pick<RangeBody, 'etag' | 'objectBytes'>>();
    this.opened = opened.promise;
    this.opened.catch(() => undefined);
    this.#run(opened.resolve).then(
      () => this.#end(undefined),
      (thrown: unknown) => {
        opened.reject(thrown);
        this.#end({ thrown });
      },
    );
  }

  /** The bytes in order, as they arrive. To be called once. */
  async *chunks(): AsyncGenerator<Uint8Array> {
    for (;;) {
      const chunk = this.#ready.shift();
      if (chunk) {
        yield chunk;
      } else if (this.#failure) {
        throw this.#failure.thrown;
      } else if (this.#isDone) {
        return;
      } else {
        const { promise, resolve } = Promise.withResolvers<void>();
        this.#wake = resolve;
        await promise;
      }
    }
  }

  async #run(onOpen: (answer: Pick<RangeBody, 'etag' | 'objectBytes'>) => void): Promise<void> {
    const { signal, uri } = this.#options;
    let failures = 0;
    do {
      const before = this.#at;
      const body = await this.#get(this.#at, this.#to, this.#etag, signal);
      this.#etag = body.etag;
      this.#to = Math.min(this.#to, body.objectBytes);
      onOpen(body);
      const broken = await this.#take(body.stream);
      if (broken === undefined) return;
      signal.throwIfAborted();
      failures = this.#at > before ? 1 : failures + 1;
      if (failures > limits.s3BodyFailuresMax) throw brokenOff(uri, this.#at, this.#to, broken);
      await backOff(failures, signal);
    } while (this.#at < this.#to);
  }

  /** Undefined when the whole range is here, else what broke the body. */
  async #take(stream: Readable): Promise<unknown> {
    // The iterator stops listening when it ends; an error that comes later would end the process.
    stream.on('error', () => undefined);
    addAbortSignal(this.#options.signal, stream);
    try {
      for await (const bytes of stream as AsyncIterable<Buffer>) {
        const isTooMuch = bytes.length > this.#to - this.#at;
        this.#add(bytes);
        // Read to its end, so that the connection can be used again; but not for ever.
        if (isTooMuch) break;
      }
    } catch (error) {
      return this.#at < this.#to ? error : undefined;
    }
    return this.#at < this.#to ? new Error('it ended early') : undefined;
  }

  /**
   * Node gives each piece of a body memory of its own, which a reader may keep or transfer: large ones pass as they are, which saves
   * a copy and most of the garbage collection. Small ones add up in a buffer that is used again.
   */
  #add(bytes: Buffer): void {
    const wanted = bytes.subarray(0, this.#to - this.#at);
    this.#at += wanted.length;
    if (wanted.length >= passedBytesMin && wanted.buffer.byteLength === wanted.length) {
      this.#flush();
      this.#ready.push(wanted);
    } else {
      for (let from = 0; from < wanted.length; ) {
        this.#small ??= Buffer.allocUnsafeSlow(smallBytesMax);
        const copied = wanted.copy(this.#small, this.#smallFilled, from);
        from += copied;
        this.#smallFilled += copied;
        if (this.#smallFilled === smallBytesMax) this.#flush();
      }
    }
    this.#wake();
  }

  #flush(): void {
    if (!this.#small || this.#smallFilled === 0) return;
    this.#ready.push(new Uint8Array(this.#small.subarray(0, this.#smallFilled)));
    this.#smallFilled = 0;
  }

  #end(failure: { readonly thrown: unknown } | undefined): void {
    this.#flush();
    this.#failure = failure;
    this.#isDone = true;
    this.#wake();
  }
}

function brokenOff(uri: string, at: number, to: number, cause: unknown): MillraceError {
  const { name, message } = describeFailure(cause);
  return new MillraceError(
    'unavailable',
    `reading ${uri} broke off ${limits.s3BodyFailuresMax + 1} times at byte ${at} of ${to} (${name}: ${message})`,
    { cause },
  );
}
