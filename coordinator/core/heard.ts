/**
 * Reduces of a restored job may hold, or have consumed, outputs of maps that this coordinator has not heard of yet. As the maps are heard, by
 * a report that comes again or because they ran again, both are compared: whoever used something else starts again (I3).
 */
import { formatTask } from '../../lib/ids.ts';
import type { SegmentCounts } from '../../lib/job-spec.ts';
import { addCounts } from '../../lib/segment-digest.ts';
import { runningAttempts } from './attempts.ts';
import { consumedUnknown, stopForDifference } from './non-determinism.ts';
import { restartAttempt, revoke } from './reruns.ts';
import type { Attempt, Job, RestoredJob, Task } from './state.ts';
import { listNames, say, type Turn } from './turn.ts';

/** The first output of a map that this coordinator accepts; or a later one, and the partitions for which it differs from the one before. */
type Heard = { readonly segments: readonly SegmentCounts[] } | { readonly changed: readonly number[] };

/** The digests of the map are those of what was heard. */
export function mapHeard(turn: Turn, job: Job, map: Task, heard: Heard): void {
  const restored = job.restored!;
  if ('changed' in heard) {
    for (const partition of heard.changed) restored.made[partition] = undefined;
    return;
  }
  for (const [partition, segment] of heard.segments.entries()) {
    const made = restored.made[partition];
    restored.made[partition] = made && addCounts(made, segment);
  }
  restored.mapsUnheard--;
  restartUnequal(turn, job, map);
  if (restored.mapsUnheard === 0 && job.phase.name === 'working') revokeUnequal(turn, job, restored);
}

function restartUnequal(turn: Turn, job: Job, map: Task): void {
  for (const reduce of [...job.reduce.running]) {
    for (const attempt of runningAttempts(reduce)) {
      const digest = attempt.fetch?.unconfirmed.get(map.index);
      if (digest === undefined) continue;
      attempt.fetch?.unconfirmed.delete(map.index);
      if (digest !== job.digests!.get(map.index, reduce.index)) restartUnlike(turn, attempt, map);
    }
  }
}

/** Which attempt of the map it holds is not known. */
function restartUnlike(turn: Turn, attempt: Attempt, map: Task): void {
  const { job, task } = attempt;
  const name = formatTask(map);
  if (stopForDifference(turn, job, { map, partitions: [task.index], attempts: [map.accepted!] })) return;
  restartAttempt(turn, attempt, `it holds an output of ${name} that is not the accepted one`);
  const text = `${formatTask(task)} holds something else of ${name} than what is accepted: it starts again`;
  say(turn, 'warn', { attempt }, text);
}

/** Every map is heard: what finished before, under an earlier coordinator, consumed their outputs or others. */
function revokeUnequal(turn: Turn, job: Job, { made }: RestoredJob): void {
  const unequal = job.reduce.tasks.filter(
    ({ status, index, accepted }) => status === 'done' && !isEqual(made[index], accepted!.counts),
  );
  if (unequal.length === 0) return;
  if (
    consumedUnknown(
      turn,
      job,
      unequal.map(({ index }) => index),
    )
  )
    return;
  for (const reduce of unequal) {
    revoke(turn, job, reduce, 'it consumed something else than the accepted maps made');
  }
  const names = listNames(unequal.map(formatTask));
  const text = `maps ran again after a restart and are not deterministic; ${names} start again`;
  say(turn, 'warn', { job }, text);
}

function isEqual(made: SegmentCounts | undefined, consumed: SegmentCounts): boolean {
  return made?.records === consumed.records && made.bytes === consumed.bytes && made.crc32 === consumed.crc32;
}

/** Whether this result of a resumed reduce is known to be of other outputs than the accepted ones. */
export function consumedOther({ job, task, id }: Attempt, consumed: SegmentCounts, epoch: number): boolean {
  const { restored } = job;
  if (!restored || restored.mapsUnheard > 0 || id.epoch === epoch) return false;
  return !isEqual(restored.made[task.index], consumed);
}

/** The attempt says that it holds this map, with this digest. False when it must not be used: then it starts again. */
export function mapHeld(turn: Turn, attempt: Attempt, map: number, digest: number): boolean {
  const { job, task, fetch } = attempt;
  if (!job.digests!.has(map)) {
    fetch!.unconfirmed.set(map, digest);
    return true;
  }
  if (job.digests!.get(map, task.index) === digest) return true;
  restartUnlike(turn, attempt, job.map.tasks[map]!);
  return false;
}
