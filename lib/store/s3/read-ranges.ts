/** Reading an object as ranges, the next one on its way while one is read: two are in memory at most. */
import { limits } from '../../limits.ts';
import { throwIfAborted } from '../abort.ts';
import type { ReadOptions } from '../store.ts';
import { type GetRange, RangeFetch } from './range-fetch.ts';

/** The bytes from `start` (default 0) to `end` (default: the end of the object) or to where the object ends. */
export async function* readRanges(
  get: GetRange,
  uri: string,
  options: ReadOptions,
): AsyncGenerator<Uint8Array> {
  const { start = 0, signal } = options;
  const stop = new AbortController();
  const onAbort = () => stop.abort(signal?.reason);
  signal?.addEventListener('abort', onAbort, { once: true });
  const fetchFrom = (from: number, end: number, etag: string | undefined) =>
    new RangeFetch(get, { from, to: rangeEnd(from, end), etag, signal: stop.signal, uri });
  try {
    let current = fetchFrom(start, options.end ?? Number.MAX_SAFE_INTEGER, options.etag);
    const { etag, objectBytes } = await current.opened;
    const end = Math.min(options.end ?? objectBytes, objectBytes);
    for (;;) {
      const next = current.to < end ? fetchFrom(current.to, end, etag) : undefined;
      for await (const chunk of current.chunks()) {
        throwIfAborted(signal);
        yield chunk;
      }
      if (!next) break;
      current = next;
    }
    throwIfAborted(signal);
  } catch (error) {
    throwIfAborted(signal);
    throw error;
  } finally {
    signal?.removeEventListener('abort', onAbort);
    // Whoever stops early leaves ranges on their way.
    stop.abort();
  }
}

/** Of a range that begins at `from`: a remainder of less than half a range is not worth a request of its own. */
function rangeEnd(from: number, end: number): number {
  return end - from < limits.s3RangeBytes * 1.5 ? end : from + limits.s3RangeBytes;
}
