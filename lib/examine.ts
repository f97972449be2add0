/** One check of `millrace doctor`: it never throws, ends in time, and says what it saw and how long it took. */
import type { Clock } from './clock.ts';
import type { Finding } from './diagnosis.ts';
import { MillraceError } from './errors.ts';
import { limits } from './limits.ts';
import { formatDurationMs } from './units.ts';

/** `look` returns what it saw, or throws what is wrong; what it still does after its time is cut off by the signal. */
export async function examine(
  check: string,
  clock: Clock,
  timeoutMs: number,
  look: (signal: AbortSignal) => Promise<string>,
): Promise<Finding> {
  const startedMs = clock.monotonicMs();
  const finding = (ok: boolean, detail: string): Finding => ({
    check,
    ok,
    detail: detail.slice(0, limits.findingCharsMax),
    ms: Math.round((clock.monotonicMs() - startedMs) * 10) / 10,
  });
  try {
    return finding(true, await withDeadline(clock, timeoutMs, look));
  } catch (error) {
    return finding(false, MillraceError.from(error).message);
  }
}

/** Throws `timeout` when `work` takes longer; the signal then aborts what it still does, and its outcome is dropped. */
async function withDeadline<T>(
  clock: Clock,
  timeoutMs: number,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const abort = new AbortController();
  const late = Promise.withResolvers<never>();
  const cancel = clock.after(timeoutMs, () => {
    const error = new MillraceError('timeout', `no answer within ${formatDurationMs(timeoutMs)}`);
    abort.abort(error);
    late.reject(error);
  });
  try {
    return await Promise.race([work(abort.signal), late.promise]);
  } finally {
    cancel();
  }
}
