/** The clock of the core: one tick after another. */
import type { CoordinatorConfig } from './config.ts';
import type { Loop } from './loop.ts';

/**
 * A tick that comes far too late means that this process stood still: what workers sent meanwhile is still in the sockets, and to
 * judge their leases before reading it would lose them all. The next tick will do.
 */
export function startTicking(
  {
    clock,
    tickIntervalMs,
    heartbeatTimeoutMs,
  }: Pick<CoordinatorConfig, 'clock' | 'tickIntervalMs' | 'heartbeatTimeoutMs'>,
  loop: Loop,
): () => void {
  let dueMs = clock.monotonicMs() + tickIntervalMs;
  let cancel = clock.after(tickIntervalMs, tick);
  function tick() {
    const lateMs = clock.monotonicMs() - dueMs;
    if (lateMs < heartbeatTimeoutMs / 2) loop.dispatch({ type: 'tick' });
    dueMs = clock.monotonicMs() + tickIntervalMs;
    cancel = clock.after(tickIntervalMs, tick);
  }
  return () => cancel();
}
