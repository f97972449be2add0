/** Answers of the services: whatever work throws becomes the status that its code stands for. */
import type { ServerWritableStream, sendUnaryData } from '@grpc/grpc-js';
import { toServiceError } from './grpc-error.ts';

export function answer<T>(reply: sendUnaryData<T>, work: () => Promise<T>): void {
  work().then(
    (value) => reply(null, value),
    (error) => reply(toServiceError(error)),
  );
}

/** For streams: what `start` throws ends the call. */
export function guard<Request, Reply>(call: ServerWritableStream<Request, Reply>, start: () => void): void {
  try {
    start();
  } catch (error) {
    call.emit('error', toServiceError(error));
  }
}
