/** The two ways to call the coordinator: one answer, or a stream of them. Both end when the signal aborts. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ClientReadableStream, ClientUnaryCall } from '@grpc/grpc-js';
import { MillraceError } from '../lib/errors.ts';
import { fromRpcError } from './rpc-error.ts';

/** What waits takes one; a signal that aborts makes it throw `cancelled`. */
export interface WaitOptions {
  readonly signal?: AbortSignal | undefined;
}

export function cancelledError(signal: AbortSignal): MillraceError {
  return signal.reason instanceof MillraceError
    ? signal.reason
    : new MillraceError('cancelled', 'cancelled by the caller', { cause: signal.reason });
}

export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw cancelledError(signal);
}

export async function pause(delayMs: number, signal: AbortSignal | undefined): Promise<void> {
  try {
    await sleep(delayMs, undefined, signal ? { signal } : {});
  } catch (error) {
    throw signal?.aborted ? cancelledError(signal) : error;
  }
}

export type Reply<T> = (error: Error | null, value?: T) => void;

/**
 * One answer. `start` makes the call with the given callback.
 * @internal
 */
export async function callOnce<T>(
  start: (reply: Reply<T>) => Pick<ClientUnaryCall, 'cancel'>,
  address: string,
  signal: AbortSignal | undefined,
): Promise<T> {
  throwIfAborted(signal);
  const done = Promise.withResolvers<T>();
  const call = start((error, value) => {
    if (error) done.reject(fromRpcError(error, address));
    else if (value === undefined)
      done.reject(new MillraceError('internal', 'the coordinator sent no answer'));
    else done.resolve(value);
  });
  const abort = () => {
    // First, because of what is cancelled the transport only says that it was.
    if (signal) done.reject(cancelledError(signal));
    call.cancel();
  };
  signal?.addEventListener('abort', abort, { once: true });
  try {
    return await done.promise;
  } finally {
    signal?.removeEventListener('abort', abort);
  }
}

/** How many messages wait here before the stream is paused. */
const queuedMax = 64;

/**
 * The messages of a stream; ends with it, throws when it breaks. Leaving the loop cancels the call.
 * Events, because the async iterator of grpc-js streams may hang when the server ends the call right away.
 * @internal
 */
export async function* iterateCall<T>(
  call: ClientReadableStream<T>,
  address: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<T, void, void> {
  const queue: T[] = [];
  let ended = false;
  let failure: MillraceError | undefined;
  let wake: () => void = () => undefined;
  const end = (error?: MillraceError) => {
    ended = true;
    failure ??= error;
    wake();
  };
  const abort = () => signal && end(cancelledError(signal));
  call.on('data', (message: T) => {
    queue.push(message);
    if (queue.length >= queuedMax) call.pause();
    wake();
  });
  call.on('error', (error) => end(fromRpcError(error, address)));
  call.on('end', () => end());
  signal?.addEventListener('abort', abort, { once: true });
  try {
    throwIfAborted(signal);
    for (;;) {
      const message = queue.shift();
      if (message !== undefined) {
        if (call.isPaused() && queue.length === 0) call.resume();
        yield message;
      } else if (ended) {
        if (failure) throw failure;
        return;
      } else {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    }
  } finally {
    signal?.removeEventListener('abort', abort);
    call.cancel();
  }
}
