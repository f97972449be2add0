import { expect, test } from 'vitest';
import { joinLocations } from './join-locations.ts';

const location = (map: number, attempt = 0) => ({ map, attempt, epoch: 1, worker: 'w1', digests: [map] });
const peer = (worker: string) => ({ worker, host: 'h', fetchAddress: 'h:1' });
const locations = (version: number, maps: number[], more = {}) => ({
  jobId: 'job',
  version,
  reduces: [2],
  found: maps.map((map) => location(map)),
  lost: [] as number[],
  peers: [peer('w1')],
  ...more,
});

test('what is found by and by for the same reduces goes as one, in order, each peer once', () => {
  const before = locations(1, [0]);
  expect(joinLocations(before, locations(2, [1], { peers: [peer('w2')] }), 100)).toBe(true);
  expect(joinLocations(before, locations(3, [0], { found: [location(0, 1)] }), 100)).toBe(true);
  expect(before).toEqual({
    ...locations(3, []),
    found: [location(0), location(1), location(0, 1)],
    peers: [peer('w1'), peer('w2')],
  });
});

test.each([
  ['of another job', locations(2, [1], { jobId: 'other' })],
  ['for other reduces', locations(2, [1], { reduces: [2, 3] })],
  ['with lost maps', locations(2, [1], { lost: [0] })],
  ['too many', locations(2, [1, 2, 3])],
])('what is %s goes alone', (_, next) => {
  const before = locations(1, [0]);
  expect(joinLocations(before, next, 3)).toBe(false);
  expect(before).toEqual(locations(1, [0]));
});

test('what comes after lost maps does not go with them', () => {
  expect(joinLocations(locations(1, [0], { lost: [4] }), locations(2, [4]), 100)).toBe(false);
});
