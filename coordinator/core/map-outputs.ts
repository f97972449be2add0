/** What the accepted maps of a job made, in lines for people who compare two runs of it. */
import { formatTask } from '../../lib/ids.ts';
import { limits } from '../../lib/limits.ts';
import type { MapOutputLine } from '../../lib/map-output-line.ts';
import type { Job } from './state.ts';
import type { Turn } from './turn.ts';

/** When the job begins to commit or to fail: as far as it has come. Bounded: a very large job has fewer digests, or no lines. */
export function keepMapOutputs(turn: Turn, job: Job): void {
  const { spec, map, digests } = job;
  if (!digests || spec.reducers === 0 || map.total > limits.mapOutputLinesMax) return;
  const hasPartitions = map.total * spec.reducers <= limits.mapOutputDigestsMax;
  const outputs = map.tasks.flatMap(({ kind, index, accepted }): MapOutputLine[] => {
    if (!accepted || !digests.has(index)) return [];
    const { id, workerId: worker, counts } = accepted;
    const { attempt, epoch } = id;
    const partitions = hasPartitions ? digests.row(index) : null;
    return [{ task: formatTask({ kind, index }), ...counts, partitions, attempt, epoch, worker }];
  });
  if (outputs.length > 0) turn.effects.push({ type: 'keep-map-outputs', spec, outputs });
}
