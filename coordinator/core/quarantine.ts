/** A worker on which one task after the other fails gets nothing for a while: twice as long each time, and never the last one. */
import { formatTask } from '../../lib/ids.ts';
import type { CoreState, Job, Task, Worker } from './state.ts';
import { say, type Turn } from './turn.ts';

export function isQuarantined(worker: Worker, nowMs: number): boolean {
  return worker.quarantinedUntilMs > nowMs;
}

/** A failure of `task` that is this worker's doing and not the user's. */
export function recordFault(turn: Turn, worker: Worker, job: Job, task: Task): void {
  const { quarantineWindowMs, quarantineFaults } = turn.state.config;
  const name = `${job.spec.jobId} ${formatTask(task)}`;
  const sinceMs = turn.now - quarantineWindowMs;
  worker.faults = worker.faults.filter((fault) => fault.atMs > sinceMs && fault.task !== name);
  worker.faults.push({ atMs: turn.now, task: name });
  if (worker.faults.length < quarantineFaults || isQuarantined(worker, turn.now)) return;
  if (!hasOther(turn.state, worker)) return;
  quarantine(turn, worker);
}

function hasOther(state: CoreState, worker: Worker): boolean {
  for (const other of state.workers.values()) {
    if (other !== worker && !other.draining && !isQuarantined(other, state.now)) return true;
  }
  return false;
}

function quarantine(turn: Turn, worker: Worker): void {
  const { quarantineMs, quarantineMsMax } = turn.state.config;
  const durationMs = Math.min(quarantineMsMax, quarantineMs * 2 ** worker.quarantines);
  const failed = worker.faults.map((fault) => fault.task).join(', ');
  worker.quarantinedUntilMs = turn.now + durationMs;
  worker.quarantines++;
  worker.faults = [];
  say(
    turn,
    'warn',
    { worker },
    `${worker.id} is quarantined for ${durationMs / 1000} s: ${failed} failed there`,
  );
}

/** When only quarantined workers are left to work they are all that there is: the quarantines end. */
export function liftWhenAlone(turn: Turn): void {
  const { workers } = turn.state;
  for (const worker of workers.values()) if (!worker.draining && !isQuarantined(worker, turn.now)) return;
  for (const worker of workers.values()) {
    if (worker.draining || !isQuarantined(worker, turn.now)) continue;
    worker.quarantinedUntilMs = turn.now;
    say(turn, 'info', { worker }, `the quarantine of ${worker.id} ends: no other worker is left`);
  }
}
