/** A map output that its worker has, but that is missing or corrupt there, or that nobody gets whole: it is made again. */
import { formatTask } from '../../lib/ids.ts';
import { stopJob } from './ending.ts';
import { loseOutputs } from './locations.ts';
import { recordFault } from './quarantine.ts';
import type { Job, Task } from './state.ts';
import { taskTrouble } from './tasks.ts';
import type { Turn } from './turn.ts';

/** The map has a holder: its worker is charged if it is to blame, and the map prefers another one. Bounded per map. */
export function condemnOutput(
  turn: Turn,
  job: Job,
  map: Task,
  cause: string,
  { isHoldersFault = true } = {},
): void {
  const holder = map.holder!;
  const trouble = taskTrouble(map);
  trouble.condemned++;
  trouble.failedOn.add(holder.id);
  if (isHoldersFault) recordFault(turn, holder, job, map);
  const { condemnedMax } = turn.state.config;
  if (trouble.condemned < condemnedMax) {
    return loseOutputs(turn, job, [map], `output of ${formatTask(map)} on ${holder.id} is ${cause}`);
  }
  const message = `the output of ${formatTask(map)} was condemned ${condemnedMax} times, last: ${cause}`;
  stopJob(turn, job, {
    state: 'FAILED',
    cause: { code: 'corrupt', message, task: formatTask(map), failure: null },
  });
}
