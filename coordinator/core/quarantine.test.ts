import { expect, test } from 'vitest';
import type { WorkerId } from '../../lib/ids.ts';
import { Driver } from '../../test/core/driver.ts';
import { makeSplits } from '../../test/core/make.ts';

const diskFull = { kind: 'no-space', message: 'full', path: '/scratch' } as const;
const mistake = { kind: 'malformed-record', message: 'bad', uri: 'mem:///in/0', line: 1, offset: 0 } as const;

function twoWorkers(): Driver {
  const driver = new Driver();
  driver.join('w1', { slots: 1 });
  driver.join('w2', { slots: 1 });
  driver.submit('j1', makeSplits(40), { reducers: 0, attemptsMax: 100 });
  return driver;
}

/** Fails whatever runs on w1 with three different tasks. */
function failThree(driver: Driver): void {
  for (let at = 0; at < 3; at++) driver.failed('w1', `j1/${driver.on('w1')[0]}`, diskFull);
}

test('three tasks failing on one worker put it in quarantine for a minute, then for two', () => {
  const driver = twoWorkers();
  failThree(driver);
  expect(driver.on('w1')).toEqual([]);
  driver.tick(59_999);
  expect(driver.on('w1')).toEqual([]);
  driver.tick(1);
  expect(driver.on('w1')).toHaveLength(1);
  failThree(driver);
  driver.tick(119_999);
  expect(driver.on('w1')).toEqual([]);
  driver.tick(1);
  expect(driver.on('w1')).toHaveLength(1);
});

test('failures more than five minutes apart do not add up', () => {
  const driver = twoWorkers();
  for (let at = 0; at < 5; at++) {
    driver.failed('w1', `j1/${driver.on('w1')[0]}`, diskFull);
    driver.tick(151_000);
  }
  expect(driver.on('w1')).toHaveLength(1);
});

test("the user's mistakes do not count against a worker", () => {
  const driver = twoWorkers();
  for (let at = 0; at < 3; at++) {
    driver.failed('w1', `j1/${driver.on('w1')[0]}`, { ...mistake, offset: at });
  }
  expect(driver.on('w1')).toHaveLength(1);
});

test('the last worker is never quarantined', () => {
  const driver = new Driver();
  driver.join('w1', { slots: 1 });
  driver.submit('j1', makeSplits(9), { attemptsMax: 100 });
  failThree(driver);
  failThree(driver);
  expect(driver.on('w1')).toHaveLength(1);
});

test.each([
  ['corrupt', true],
  ['undeliverable', false],
] as const)('three outputs on one worker that are %s put it in quarantine: %s', (cause, isItsFault) => {
  const driver = new Driver();
  for (const worker of ['w1', 'w2']) driver.join(worker, { slots: 4 });
  const job = driver.submit('j1', makeSplits(8), { reducers: 1 });
  for (const worker of ['w1', 'w2']) {
    for (const map of driver.on(worker).filter((name) => name.startsWith('m')))
      driver.mapped(worker, `j1/${map}`);
  }
  const fetching = ['w1', 'w2'].find((worker) => driver.on(worker).includes('r0.0')) as WorkerId;
  const served = job.map.tasks.filter(({ holder }) => holder?.id !== fetching).slice(0, 3);
  const { holder } = served[0]!;
  expect(served).toHaveLength(3);
  for (const { index, accepted } of served) {
    const attempt = { jobId: job.spec.jobId, kind: 'reduce', index: 0, attempt: 0, epoch: 1 } as const;
    const which = { map: index, mapAttempt: accepted!.id.attempt, worker: holder!.id };
    driver.send({
      type: 'fetch-troubled',
      workerId: fetching,
      trouble: { attempt, ...which, cause, detail: '' },
    });
  }
  expect(holder!.quarantinedUntilMs > driver.now).toBe(isItsFault);
});
