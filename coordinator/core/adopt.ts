/**
 * A worker that was restarted on the same scratch folder brings what its predecessor made. Outputs that are still the accepted ones,
 * and that nobody else holds, are served again instead of being made again.
 */
import { type AttemptId, sameAttempt } from '../../lib/ids.ts';
import { cancelAttempt } from './attempts.ts';
import { addLocation } from './locations.ts';
import { mapsWentOn } from './outputs.ts';
import type { Job, Task, Worker } from './state.ts';
import { tell } from './story.ts';
import { markDone, markRunning, replaceAccepted } from './tasks.ts';
import { say, type Turn } from './turn.ts';

/** `held`: whole outputs on the worker's disk, in any order, of any job; what is not wanted it hears at the end of the job. */
export function adoptOutputs(turn: Turn, worker: Worker, held: readonly AttemptId[]): void {
  const adopted = new Map<Job, number>();
  for (const id of held) {
    worker.jobs.add(id.jobId);
    const job = turn.state.jobs.get(id.jobId);
    const map = job?.map.tasks[id.index];
    if (!job || !map || !isWanted(job, map, id)) continue;
    adopt(turn, job, map, worker);
    adopted.set(job, (adopted.get(job) ?? 0) + 1);
  }
  for (const [job, count] of adopted) {
    say(
      turn,
      'info',
      { job, worker },
      `${count} map outputs are back with worker ${worker.id}: they do not run again`,
    );
  }
}

/** What was condemned before stays so: the disk that it lies on is the same. */
function isWanted(job: Job, map: Task, id: AttemptId): boolean {
  if (job.phase.name !== 'working' || map.holder || (map.trouble?.condemned ?? 0) > 0) return false;
  return map.accepted !== undefined && sameAttempt(map.accepted.id, id);
}

function adopt(turn: Turn, job: Job, map: Task, worker: Worker): void {
  if (map.status === 'idle') {
    // It was to run again, and has not been.
    job.map.reruns--;
    markRunning(job, map);
  }
  if (map.status === 'running') markDone(job, map);
  for (const attempt of map.attempts) cancelAttempt(turn, attempt, 'its earlier output is back');
  job.unlocated.delete(map.index);
  const accepted = { ...map.accepted!, workerId: worker.id };
  replaceAccepted(job, map, accepted);
  addLocation(turn, job, map, worker);
  mapsWentOn(turn, job);
  tell(turn.state, job, map, 'adopted', 'its worker was restarted', {
    attempt: accepted.id.attempt,
    worker: worker.id,
  });
  turn.changed.add(job.spec.jobId);
}
