/**
 * S3 credentials for a slot thread: it asks the main thread over a port of its own, each time that what it has expires. User code finds
 * them neither in its environment nor in `workerData`, and hears nothing of this port on `parentPort`.
 */
import type { MessagePort } from 'node:worker_threads';
import { type ErrorCode, MillraceError } from '../../lib/errors.ts';
import type { S3Access, S3Credentials, S3Settings } from '../../lib/store/s3/s3-access.ts';

interface Question {
  readonly id: number;
  readonly about: 'settings' | 'credentials';
}

type Answer = { readonly id: number } & (
  | { readonly value: S3Settings | S3Credentials }
  | { readonly error: { readonly code: ErrorCode; readonly message: string } }
);

/** The main thread's end. Does not keep the process alive. */
export function serveS3Access(access: S3Access, port: MessagePort): void {
  port.on('message', async ({ id, about }: Question) => {
    try {
      const value = await access[about]();
      port.postMessage({ id, value } satisfies Answer);
    } catch (thrown) {
      const { code, message } = MillraceError.from(thrown, 'store-failed');
      port.postMessage({ id, error: { code, message } } satisfies Answer);
    }
  });
  port.unref();
}

/** The thread's end; it may ask before its port is there. */
export function askedS3Access(port: Promise<MessagePort>): S3Access {
  const waiting = new Map<number, PromiseWithResolvers<S3Settings | S3Credentials>>();
  let questions = 0;
  const listening = port.then((opened) => {
    opened.on('message', (answer: Answer) => {
      const asked = waiting.get(answer.id);
      waiting.delete(answer.id);
      if ('value' in answer) asked?.resolve(answer.value);
      else asked?.reject(new MillraceError(answer.error.code, answer.error.message));
    });
    return opened;
  });
  const ask = async (about: Question['about']) => {
    const id = questions++;
    const asked = Promise.withResolvers<S3Settings | S3Credentials>();
    waiting.set(id, asked);
    (await listening).postMessage({ id, about } satisfies Question);
    return asked.promise;
  };
  return {
    settings: () => ask('settings') as Promise<S3Settings>,
    credentials: () => ask('credentials') as Promise<S3Credentials>,
  };
}
