/** Segments that did not come to a reduce as their map wrote them: told to the job's story, its view and its events. */
import { formatTask } from '../../lib/ids.ts';
import type { DamageView } from '../../lib/job-view.ts';
import { limits } from '../../lib/limits.ts';
import type { FetchTrouble } from '../../lib/reports.ts';
import { emitDamaged } from './job-events.ts';
import type { Job, Task } from './state.ts';
import { tell, tellTrouble } from './story.ts';
import type { Turn } from './turn.ts';

/** What a reduce says that it cannot fetch; of a checksum that is wrong more is kept. */
export function tellFetchTrouble(turn: Turn, job: Job, reduce: Task, map: Task, trouble: FetchTrouble): void {
  const { state } = turn;
  const { detail } = trouble;
  const what = `found map ${map.index} ${trouble.cause}`;
  const where = whereDamaged(trouble);
  if (!where) return tell(state, job, reduce, what, detail);
  tellTrouble(state, job, reduce, what, detail);
  const damage: DamageView = {
    task: formatTask(map),
    attempt: trouble.mapAttempt,
    worker: trouble.worker ?? null,
    reduce: formatTask(reduce),
    where,
    atMs: turn.now,
    detail,
  };
  if (job.damages.length >= limits.damagesShownMax) job.damages.shift();
  job.damages.push(damage);
  emitDamaged(turn, job, damage);
}

function whereDamaged({ cause, worker }: FetchTrouble): DamageView['where'] | undefined {
  if (cause === 'corrupt') return worker === undefined ? 'store' : 'disk';
  return cause === 'damaged-in-transit' || cause === 'undeliverable' ? 'transit' : undefined;
}
