import { expect, test } from 'vitest';
import type { JobId, WorkerId } from '../../lib/ids.ts';
import { Driver } from '../../test/core/driver.ts';
import { makeSplits, makeUsage } from '../../test/core/make.ts';
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

test('the cluster view sums slots, tasks and jobs', () => {
  const driver = new Driver();
  driver.join('w1', { slots: 2 });
  driver.join('w2', { slots: 3 });
  driver.submit('j1', makeSplits(7), { reducers: 2 });
  driver.mapped('w1', 'j1/m0.0');
  driver.failed('w2', 'j1/m1.0', { kind: 'internal', message: 'no' });
  driver.submit('j2', [], { reducers: 0 });
  expect(viewCluster(driver.state)).toMatchObject({
    slots: 5,
    slotsUsed: 5,
    jobs: { MAPPING: 1, COMMITTING: 1 },
    jobsActive: 2,
    maps: { pending: 1, running: 5, completed: 1, failed: 1 },
    reduces: { pending: 0, running: 2, completed: 0, failed: 0 },
  });
});

test('a worker in the cluster view says what it is, what runs there and what it serves', () => {
  const driver = new Driver();
  driver.join('w1', { slots: 2, pid: 7, softwareVersion: '1.2.3' });
  driver.join('w2');
  driver.submit('j1', makeSplits(4));
  driver.mapped('w1', 'j1/m0.0');
  driver.now = 500;
  const usage = makeUsage({
    rssBytes: 1,
    cpuFraction: 0.5,
    scratchBytes: 2,
    scratchBytesMax: 3,
    memoryBytesMax: 4,
  });
  driver.send({ type: 'worker-heartbeat', workerId: 'w1' as WorkerId, attempts: [], usage });
  expect(viewCluster(driver.state).workers[0]).toEqual({
    workerId: 'w1',
    state: 'ready',
    host: 'host-of-w1',
    pid: 7,
    softwareVersion: '1.2.3',
    fetchAddress: 'w1:9000',
    slots: 2,
    slotsUsed: 1,
    fetching: 1,
    attempts: ['m2.0', 'r0.0'],
    mapOutputs: 1,
    lastHeartbeatMs: 500,
    quarantinedUntilMs: null,
    speed: 1,
    ...usage,
  });
});

test('the state of a worker in the cluster view', () => {
  const driver = new Driver();
  const states = () => viewCluster(driver.state).workers.map((worker) => worker.state);
  for (const id of ['w1', 'w2', 'w3']) driver.join(id, { slots: 1 });
  driver.submit('j1', makeSplits(9));
  driver.send({ type: 'worker-draining', workerId: 'w1' as WorkerId });
  for (const task of ['m1.0', 'm3.0', 'm4.0']) {
    driver.failed('w2', `j1/${task}`, { kind: 'internal', message: 'no' });
  }
  expect(states()).toEqual(['draining', 'quarantined', 'ready']);
  driver.send({ type: 'worker-disconnected', workerId: 'w1' as WorkerId });
  expect(states()).toEqual(['disconnected', 'quarantined', 'ready']);
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
