import { expect, test } from 'vitest';
import type { JobId, WorkerId } from '../../lib/ids.ts';
import { Driver } from '../../test/core/driver.ts';
import { makeSplits } from '../../test/core/make.ts';
import type { Effect } from './effects.ts';

/** The tasks of which the last effects say that more may be staged than is known. */
function unsure(effects: readonly Effect[]): readonly number[] | undefined {
  const effect = effects.find(({ type }) => type === 'publish-output' || type === 'discard-output');
  return effect && 'unsure' in effect ? effect.unsure : undefined;
}

test('a job whose tasks were all done by their only attempts has nothing staged that is not known', () => {
  const driver = new Driver();
  driver.join('w1', { slots: 4 });
  driver.submit('j1', makeSplits(2), { reducers: 0 });
  driver.mapped('w1', 'j1/m0.0');
  driver.mapped('w1', 'j1/m1.0');
  expect(unsure(driver.effects)).toEqual([]);
});

test('a task whose first attempt went with its worker may have staged a part that nobody was told of', () => {
  const driver = new Driver();
  driver.join('w1', { slots: 1 });
  driver.submit('j1', makeSplits(2), { reducers: 0 });
  expect(driver.on('w1')).toEqual(['m0.0']);
  driver.send({ type: 'worker-left', workerId: 'w1' as WorkerId });
  driver.join('w2', { slots: 2 });
  driver.mapped('w2', 'j1/m0.1');
  driver.mapped('w2', 'j1/m1.0');
  expect(unsure(driver.effects)).toEqual([0]);
});

test('when a job is cancelled, so may every task that was begun and is not done; none that was never assigned', () => {
  const driver = new Driver();
  driver.join('w1', { slots: 2 });
  driver.submit('j1', makeSplits(4), { reducers: 0 });
  driver.mapped('w1', 'j1/m0.0');
  expect(driver.on('w1')).toEqual(['m1.0', 'm2.0']);
  driver.send({ type: 'cancel-requested', jobId: 'j1' as JobId, reason: 'enough' });
  driver.send({ type: 'worker-left', workerId: 'w1' as WorkerId });
  expect(unsure(driver.effects)).toEqual([1, 2]);
});

test('the job that ended first is forgotten first, however long ago another one was submitted', () => {
  const driver = new Driver({ endedJobsMax: 2 });
  driver.join('w1', { slots: 1 });
  driver.submit('long', makeSplits(1), { reducers: 0 });
  for (const jobId of ['a', 'b', 'c'] as JobId[]) {
    driver.now += 1_000;
    driver.submit(jobId, [], { reducers: 0 });
    driver.send({ type: 'output-published', jobId });
  }
  expect([...driver.state.jobs.keys()]).toEqual(['long', 'b', 'c']);
  driver.now += 1_000;
  driver.mapped('w1', 'long/m0.0');
  driver.send({ type: 'output-published', jobId: 'long' as JobId });
  expect([...driver.state.jobs.keys()]).toEqual(['long', 'c']);
});
