/** Records that the accepted maps skipped, against what the job may skip. Only accepted attempts count, so nothing is counted twice. */
import { badRecordsAllowed, describeOverBudget } from '../../lib/bad-records.ts';
import { limits } from '../../lib/limits.ts';
import type { BadPart } from './effects.ts';
import { stopJob } from './ending.ts';
import type { Job } from './state.ts';
import type { Turn } from './turn.ts';

/** True when the job stops for it. A share is judged when every map is done: before, nobody knows of how many records. */
export function stopOverBudget(turn: Turn, job: Job): boolean {
  const budget = job.spec.maxBadRecords;
  const { badRecords, inputRecords, done, total } = job.map;
  if (!budget || (budget.kind === 'rate' && done < total)) return false;
  if (badRecords <= badRecordsAllowed(budget, inputRecords)) return false;
  const examples = job.map.tasks.flatMap((task) => task.accepted?.bad?.examples ?? []);
  const shown = examples.slice(0, limits.badRecordExamplesMax);
  const message = `${describeOverBudget(budget, badRecords, shown)}; nothing is published`;
  stopJob(turn, job, { state: 'FAILED', cause: { code: 'bad-records', message, task: null, failure: null } });
  return true;
}

/** In the order of maps. */
export function acceptedBadParts(job: Job): BadPart[] {
  return job.map.tasks.flatMap(({ index, accepted }) =>
    accepted?.bad ? [{ map: index, part: accepted.bad.part }] : [],
  );
}
