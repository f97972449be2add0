/** Refused calls on the log, at most one line a second: whoever knocks without end shall not fill the disk. */
import type { Clock } from '../clock.ts';
import type { Log } from '../log.ts';

const intervalMs = 1_000;

export function logRefusals(log: Log, clock: Clock): (method: string, peer: string, reason: string) => void {
  let nextMs = Number.NEGATIVE_INFINITY;
  let notShown = 0;
  return (method, peer, reason) => {
    const now = clock.monotonicMs();
    if (now < nextMs) {
      notShown++;
      return;
    }
    log.warn({ method, peer, reason, notShown }, 'a call was refused');
    nextMs = now + intervalMs;
    notShown = 0;
  };
}
