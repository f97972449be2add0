/**
 * Workers whose scratch folder is nearly full. They get nothing new while it may change: others have room, or what runs may end and
 * free some. When nothing can, tasks are given to them all the same, one at a time: better that a job fails with `no-space` than that
 * it waits for ever.
 */
import { formatBytes } from '../../lib/units.ts';
import type { EventOf } from './events.ts';
import type { CoreState, Worker } from './state.ts';
import { say, type Turn } from './turn.ts';

export function takeUsage(turn: Turn, worker: Worker, usage: EventOf<'worker-heartbeat'>['usage']): void {
  worker.usage = usage;
  const { scratchBytes, scratchBytesMax } = usage;
  const crowded = scratchBytes > scratchBytesMax * turn.state.config.scratchHighWaterFraction;
  if (crowded === worker.crowded || (crowded && scratchBytesMax === 0)) return;
  worker.crowded = crowded;
  turn.wantsSchedule = true;
  const used = `uses ${formatBytes(scratchBytes)} of ${formatBytes(scratchBytesMax)} of scratch`;
  const rest = crowded
    ? 'it gets no new tasks while that may change (--scratch-limit)'
    : 'it gets tasks again';
  say(turn, crowded ? 'warn' : 'info', { worker }, `worker ${worker.id} ${used}: ${rest}`);
}

/** A reduce that waits for maps to come frees nothing. */
export function mayFreeScratch(state: CoreState): boolean {
  for (const { phase, map, reduce } of state.activeJobs) {
    if (phase.name !== 'working' && phase.name !== 'sampling') return true;
    if (map.done === map.total && reduce.attemptsAlive > 0) return true;
  }
  for (const { slotsUsed } of state.workers.values()) if (slotsUsed > 0) return true;
  return false;
}
