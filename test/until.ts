/** Waiting for a state of the world, with a deadline. */
import { setTimeout as pause } from 'node:timers/promises';

const pollMs = 20;
const timeoutMsDefault = 60_000;

/** The first value that is neither undefined nor false. Throws naming `what` when the deadline passes. */
export async function until<T>(
  what: string | (() => string),
  look: () => T | Promise<T>,
  timeoutMs = timeoutMsDefault,
): Promise<Exclude<T, undefined | false>> {
  const deadlineMs = performance.now() + timeoutMs;
  for (;;) {
    const seen = await look();
    if (seen !== undefined && seen !== false) return seen as Exclude<T, undefined | false>;
    if (performance.now() > deadlineMs) {
      const missed = typeof what === 'string' ? what : what();
      throw new Error(`not within ${timeoutMs / 1_000} s: ${missed}`);
    }
    await pause(pollMs);
  }
}

/** Resolves when the list is empty. Throws naming `what`, and what was in the list last, when the deadline passes. */
export async function untilNone(
  what: string,
  list: () => readonly string[] | Promise<readonly string[]>,
  timeoutMs = timeoutMsDefault,
): Promise<void> {
  let last: readonly string[] = [];
  const isEmpty = async () => {
    last = await list();
    return last.length === 0;
  };
  await until(() => `${what}, but there is ${last.join(', ')}`, isEmpty, timeoutMs);
}
