import { expect, test } from 'vitest';
import { type AttemptId, toJobId } from '../../lib/ids.ts';
import { MapOutputs } from './outputs.ts';

const map: AttemptId = { jobId: toJobId('job'), kind: 'map', index: 0, attempt: 0, epoch: 1 };

test('an output is forgotten with its own attempt only: not with a later one, nor a reduce of the same numbers', () => {
  const outputs = new MapOutputs();
  outputs.add(map, '/nowhere');
  outputs.remove({ ...map, kind: 'reduce' });
  outputs.remove({ ...map, kind: 'sample' });
  outputs.remove({ ...map, attempt: 1 });
  outputs.remove({ ...map, epoch: 2 });
  expect(outputs.list()).toEqual([map]);
  outputs.remove(map);
  expect(outputs.list()).toEqual([]);
});

test('of two attempts of one map the one that lost goes alone: the accepted one is still served', () => {
  const outputs = new MapOutputs();
  const late = { ...map, attempt: 1 };
  outputs.add(map, '/nowhere');
  outputs.add(late, '/nowhere else');
  expect(outputs.pathOf(map.jobId, map.index, map.attempt, map.epoch)).toBe('/nowhere');
  outputs.remove(late);
  expect(outputs.list()).toEqual([map]);
});
