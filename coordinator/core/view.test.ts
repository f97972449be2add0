import { expect, test } from 'vitest';
import type { JobId } from '../../lib/ids.ts';
import { Driver } from '../../test/core/driver.ts';
import { makeSplits } from '../../test/core/make.ts';
import { assertInvariants } from './invariants.ts';
import { story } from './story.ts';
import { listJobs, viewCluster, viewJob } from './view.ts';

test('progress is what was accepted and what running attempts have read', () => {
  const driver = new Driver();
  driver.join('w1');
  driver.submit('j1', makeSplits(3));
  driver.mapped('w1', 'j1/m0.0', 700);
  driver.tick(1_000, { 'j1/m1.0': 40, 'j1/m2.0': 2 });
  expect(viewJob(driver.state, 'j1' as JobId)?.map).toMatchObject({
    total: 3,
    done: 1,
    running: 2,
    waiting: 0,
    bytes: 742,
  });
  driver.failed('w1', 'j1/m1.0', { kind: 'internal', message: 'no' });
  expect(viewJob(driver.state, 'j1' as JobId)?.map).toMatchObject({ failedAttempts: 1, bytes: 702 });
  expect(viewJob(driver.state, 'none' as JobId)).toBeUndefined();
});

test('jobs are listed newest first, and the oldest ended ones are forgotten', () => {
  const driver = new Driver({ endedJobsMax: 2 });
  for (let at = 0; at < 5; at++) {
    const jobId = `j${at}` as JobId;
    driver.submit(jobId, [], { reducers: 0 });
    if (at !== 1) driver.send({ type: 'output-published', jobId });
  }
  expect(listJobs(driver.state, 2).map((job) => job.jobId)).toEqual(['j4', 'j3']);
  expect(listJobs(driver.state, 9).map((job) => `${job.jobId} ${job.state}`)).toEqual([
    'j4 COMPLETED',
    'j3 COMPLETED',
    'j1 COMMITTING',
  ]);
});

test('the cluster view sums slots', () => {
  const driver = new Driver();
  driver.join('w1', { slots: 2 });
  driver.join('w2', { slots: 3 });
  driver.submit('j1', makeSplits(4));
  expect(viewCluster(driver.state)).toMatchObject({ slots: 5, slotsUsed: 4, jobsActive: 1 });
});

test('stories are bounded, and what went wrong with a task outlives what went well with others', () => {
  const driver = new Driver({ storyLinesPerJobMax: 20 });
  driver.join('w1', { slots: 1 });
  driver.submit('j1', makeSplits(50), { reducers: 0 });
  driver.failed('w1', 'j1/m0.0', { kind: 'internal', message: 'no' });
  driver.mapped('w1', 'j1/m0.1');
  for (let at = 1; at < 40; at++) driver.mapped('w1', `j1/m${at}.0`);
  const jobId = 'j1' as JobId;
  expect(story(driver.state, jobId).length).toBeLessThanOrEqual(20);
  expect(story(driver.state, jobId, { kind: 'map', index: 0 })).toEqual([
    '0 m0.0 failed on w1: internal: no',
  ]);
  expect(story(driver.state, jobId, { kind: 'map', index: 39 })).toEqual([
    '0 m39.0 assigned on w1',
    '0 m39.0 accepted on w1',
  ]);
});

test.each([
  [
    'a slot that was never given back',
    (driver: Driver) => {
      for (const worker of driver.state.workers.values()) worker.slotsUsed++;
    },
  ],
  [
    'a task that nobody will ever run',
    (driver: Driver) => {
      for (const job of driver.state.jobs.values()) job.map.waiting.fresh.delete(2);
    },
  ],
  [
    'a counter that does not add up',
    (driver: Driver) => {
      for (const job of driver.state.jobs.values()) job.counters.set('seen', 7);
    },
  ],
  [
    'an output nobody holds',
    (driver: Driver) => {
      for (const job of driver.state.jobs.values()) job.map.tasks[0]!.holder = undefined;
    },
  ],
])('the invariants notice %s', (_, tamper) => {
  const driver = new Driver();
  driver.join('w1', { slots: 1 });
  driver.submit('j1', makeSplits(4));
  driver.mapped('w1', 'j1/m0.0');
  assertInvariants(driver.state);
  tamper(driver);
  expect(() => assertInvariants(driver.state)).toThrow();
});
