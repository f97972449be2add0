/** In words: attempts of one map that made different output. */
import type { DifferenceView } from './job-view.ts';
import { limits } from './limits.ts';

const partitionsNamed = 10;

/** `m1 is not deterministic: m1.0 on w2 and m1.1 on w3 made different output for partitions 1, 2`. */
export function describeDifference({ task, partitions, attempts }: DifferenceView): string {
  const where = `partition${partitions.length === 1 ? '' : 's'} ${listPartitions(partitions)}`;
  if (task === null) {
    return `a map is not deterministic: what reduces consumed before the restart is not what the accepted maps made for ${where}`;
  }
  const [first, second = 'an attempt before the restart'] = attempts.map(
    ({ attempt, worker }) => `${task}.${attempt} on ${worker}`,
  );
  return `${task} is not deterministic: ${first} and ${second} made different output for ${where}`;
}

function listPartitions(partitions: readonly number[]): string {
  const named = partitions.slice(0, partitionsNamed).join(', ');
  const more = partitions.length - partitionsNamed;
  if (more <= 0) return named;
  return `${named} and ${partitions.length < limits.differencePartitionsMax ? '' : 'at least '}${more} more`;
}

/** What to do about it. */
export const differenceAdvice =
  'map must yield the same for the same input: no random, clock, environment or order of replies in it';
