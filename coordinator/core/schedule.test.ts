import { expect, test } from 'vitest';
import { Driver } from '../../test/core/driver.ts';
import { makeSplits } from '../../test/core/make.ts';

test('maps and complete reduces share the slots; reduces that fetch have as many places beside them', () => {
  const driver = new Driver();
  driver.join('w1', { slots: 2 });
  driver.submit('j1', makeSplits(5), { reducers: 4 });
  expect(driver.on('w1')).toEqual(['m0.0', 'm1.0']);
  driver.mapped('w1', 'j1/m0.0');
  expect(driver.on('w1')).toEqual(['m1.0', 'm2.0', 'r0.0', 'r1.0']);
  // r0 takes a slot though both are in use: until one is free again, no other reduce comes to wait beside it.
  driver.fetchedAll('w1', 'j1/r0.0');
  expect(driver.assigned).toEqual([]);
  driver.mapped('w1', 'j1/m1.0');
  expect(driver.assigned).toEqual(['w1 r2.0']);
  driver.mapped('w1', 'j1/m2.0');
  expect(driver.assigned).toEqual(['w1 m3.0']);
});

test('reduces start when 5 % of the maps are done', () => {
  const driver = new Driver();
  driver.join('w1', { slots: 40 });
  const job = driver.submit('j1', makeSplits(40));
  driver.mapped('w1', 'j1/m0.0');
  expect(job.reduce.running.size).toBe(0);
  driver.mapped('w1', 'j1/m1.0');
  expect(driver.assigned).toEqual(['w1 r0.0']);
});

test('a worker that proved faster is preferred over one that is idle', () => {
  const driver = new Driver();
  driver.join('slow', { slots: 1 });
  driver.join('fast', { slots: 2 });
  driver.submit('j1', makeSplits(60), { reducers: 0 });
  // slow takes 4 s for what fast does in 1 s.
  for (let second = 1; second <= 28; second++) {
    driver.tick(1_000);
    const finished = second % 4 === 0 ? ['fast', 'slow'] : ['fast'];
    for (const worker of finished) for (const name of driver.on(worker)) driver.mapped(worker, `j1/${name}`);
  }
  const { workers } = driver.state;
  const [slow, fast] = [...workers.values()];
  expect(fast!.speed).toBeGreaterThan(slow!.speed * 2);
  for (const worker of workers.values()) expect(worker.attempts.size).toBe(0);
  // Equal load: by order of joining it would be `slow`.
  driver.submit('j2', makeSplits(2), { reducers: 0 });
  expect(driver.assigned).toEqual(['fast m0.0', 'fast m1.0']);
});

test('a worker gets nothing while its stream is broken', () => {
  const driver = new Driver();
  driver.join('w1');
  driver.send({ type: 'worker-disconnected', workerId: driver.state.workers.keys().next().value! });
  driver.submit('j1', makeSplits(1));
  expect(driver.assigned).toEqual([]);
  driver.join('w1');
  expect(driver.assigned).toEqual(['w1 m0.0']);
});
