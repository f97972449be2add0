import { expect, test } from 'vitest';
import type { WorkerId } from '../../lib/ids.ts';
import { Driver } from '../../test/core/driver.ts';
import { makeSplits } from '../../test/core/make.ts';

test('corrupt segments are never charged to the reduce, but end the job in the end', () => {
  const driver = new Driver();
  driver.join('w1', { slots: 4 });
  const job = driver.submit('j1', makeSplits(1), { attemptsMax: 2 });
  let times = 0;
  while (job.phase.name === 'working') {
    driver.mapped('w1', `j1/m0.${times}`);
    const worker = 'w1' as WorkerId;
    const failure = { kind: 'corrupt-segment', message: 'crc', map: 0, mapAttempt: times, worker } as const;
    driver.failed('w1', `j1/r0.${times}`, failure);
    times++;
  }
  expect(times).toBe(10);
  expect(job.phase).toMatchObject({
    outcome: { cause: { task: 'r0', failure: { kind: 'corrupt-segment' } } },
  });
});

test('a map output that is missing again and again ends the job', () => {
  const driver = new Driver();
  driver.join('w1', { slots: 4 });
  const job = driver.submit('j1', makeSplits(1));
  for (let map = 0; map < 10; map++) {
    driver.mapped('w1', `j1/m0.${map}`);
    const trouble = {
      attempt: {
        ...driver.state.workers
          .get('w1' as WorkerId)!
          .attempts.values()
          .next().value!.id,
      },
      map: 0,
      mapAttempt: map,
      worker: 'w1' as WorkerId,
      cause: 'missing' as const,
      detail: '',
    };
    driver.send({ type: 'fetch-troubled', workerId: 'w1' as WorkerId, trouble });
  }
  expect(job.phase).toMatchObject({ outcome: { cause: { code: 'corrupt', task: 'm0' } } });
});

test('two different mistakes of the user do not end the job early, attemptsMax does', () => {
  const driver = new Driver();
  driver.join('w1', { slots: 1 });
  const job = driver.submit('j1', makeSplits(1), { attemptsMax: 3 });
  const error = (message: string) =>
    ({ kind: 'user-error', name: 'Error', message, stack: '', where: 'map', record: '' }) as const;
  driver.failed('w1', 'j1/m0.0', error('one'));
  driver.failed('w1', 'j1/m0.1', error('two'));
  expect(job.phase.name).toBe('working');
  driver.failed('w1', 'j1/m0.2', error('three'));
  expect(job.phase).toMatchObject({ outcome: { cause: { code: 'job-failed', task: 'm0' } } });
  expect(job.failedAttempts.map(({ attempt }) => attempt)).toEqual([0, 1, 2]);
});

test('failures and deaths count together against attemptsMax', () => {
  const driver = new Driver();
  driver.join('w1', { slots: 1 });
  const job = driver.submit('j1', makeSplits(1), { attemptsMax: 2 });
  driver.failed('w1', 'j1/m0.0', { kind: 'internal', message: 'no' });
  driver.tick(0);
  driver.now += 10_000;
  driver.send({ type: 'tick' });
  expect(job.phase).toMatchObject({ outcome: { cause: { failure: { kind: 'worker-lost', worker: 'w1' } } } });
});
