/** Which accepted map outputs the store has as well: the flag of the task and the count of its job change together, here only. */
import type { Job, Task } from './state.ts';
import type { Turn } from './turn.ts';

export function rememberCopy(turn: Turn, job: Job, map: Task): void {
  if (map.copied) return;
  map.copied = true;
  job.mapsCopied++;
  turn.changed.add(job.spec.jobId);
}

/** It turned out not to be whole, or not to be there. */
export function forgetCopy(job: Job, map: Task): void {
  if (!map.copied) return;
  map.copied = false;
  job.mapsCopied--;
}
