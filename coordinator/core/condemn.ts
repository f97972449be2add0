/** A map output that is missing or corrupt where it should be, or that nobody gets whole: it is read from its copy, or made again. */
import { formatTask } from '../../lib/ids.ts';
import { forgetCopy } from './copied.ts';
import { stopJob } from './ending.ts';
import { loseOutputs } from './locations.ts';
import { recordFault } from './quarantine.ts';
import type { Job, Task } from './state.ts';
import { taskTrouble } from './tasks.ts';
import type { Turn } from './turn.ts';

/**
 * Where the output is now: its worker is charged if it is to blame, and the map prefers another one; or the copy in the store, which nobody
 * is charged for. Bounded per map.
 */
export function condemnOutput(
  turn: Turn,
  job: Job,
  map: Task,
  cause: string,
  { isHoldersFault = true } = {},
): void {
  const { holder } = map;
  const trouble = taskTrouble(map);
  trouble.condemned++;
  if (holder) trouble.failedOn.add(holder.id);
  else forgetCopy(job, map);
  if (holder && isHoldersFault) recordFault(turn, holder, job, map);
  const { condemnedMax } = turn.state.config;
  if (trouble.condemned < condemnedMax) {
    const where = holder ? `on ${holder.id}` : 'in the store';
    return loseOutputs(turn, job, [map], `output of ${formatTask(map)} ${where} is ${cause}`);
  }
  const message = `the output of ${formatTask(map)} was condemned ${condemnedMax} times, last: ${cause}`;
  stopJob(turn, job, {
    state: 'FAILED',
    cause: { code: 'corrupt', message, task: formatTask(map), failure: null },
  });
}
