import { expect, it } from 'vitest';
import { describeDifference } from './difference.ts';
import { limits } from './limits.ts';

const first = { attempt: 0, epoch: 1, worker: 'w1' };
const second = { attempt: 1, epoch: 2, worker: 'w2' };

it('names the map, both attempts with their workers, and the partitions', () => {
  expect(describeDifference({ task: 'm3', partitions: [1, 4], attempts: [first, second] })).toBe(
    'm3 is not deterministic: m3.0 on w1 and m3.1 on w2 made different output for partitions 1, 4',
  );
});

it('says which attempt is not known', () => {
  expect(describeDifference({ task: 'm3', partitions: [1], attempts: [first] })).toBe(
    'm3 is not deterministic: m3.0 on w1 and an attempt before the restart made different output for partition 1',
  );
  expect(describeDifference({ task: null, partitions: [0], attempts: [] })).toContain('a map is not');
});

it('stays short, and claims no number that it does not know', () => {
  const partitions = Array.from({ length: limits.differencePartitionsMax }, (_, index) => index);
  const attempts = [first, second];
  expect(describeDifference({ task: 'm0', partitions: partitions.slice(0, 12), attempts })).toMatch(
    /partitions 0, 1, 2, 3, 4, 5, 6, 7, 8, 9 and 2 more$/,
  );
  expect(describeDifference({ task: 'm0', partitions, attempts })).toMatch(/, 9 and at least 90 more$/);
});
