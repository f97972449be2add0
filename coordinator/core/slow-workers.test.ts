import { expect, test } from 'vitest';
import { Driver } from '../../test/core/driver.ts';
import { makeSplits } from '../../test/core/make.ts';

const fast = ['w1', 'w2', 'w3'];

/** Three workers that do a map a second; the fourth one, w4, has had its first for as long as they have had `seconds` each. */
function withSlow(maps: number, seconds: number, reducers = 0): Driver {
  const driver = new Driver();
  for (const id of [...fast, 'w4']) driver.join(id, { slots: 1 });
  driver.submit('j1', makeSplits(maps), { reducers });
  for (let second = 0; second < seconds; second++) {
    driver.tick(1_000);
    finishAll(driver);
  }
  return driver;
}

function finishAll(driver: Driver): void {
  for (const id of fast) {
    const [map] = driver.on(id).filter((name) => name.startsWith('m'));
    if (map) driver.mapped(id, `j1/${map}`);
  }
}

test('a worker that took five times as long gets no map when the others do what waits before it would', () => {
  const driver = withSlow(27, 5);
  driver.mapped('w4', 'j1/m3.0');
  expect(driver.state.workers.get('w4' as never)!.speed).toBeLessThan(0.3);
  // 8 wait, fewer than three each for the others.
  expect(driver.on('w4')).toEqual([]);
  driver.tick(1_000);
  finishAll(driver);
  expect(driver.on('w4')).toEqual([]);
});

test('while more waits than the others do in that time, it gets its share', () => {
  const driver = withSlow(60, 5);
  driver.mapped('w4', 'j1/m3.0');
  expect(driver.on('w4')).toHaveLength(1);
});

test('it gets what waits when the others are gone, or stand still for as long as it would have taken', () => {
  const gone = withSlow(27, 5);
  gone.mapped('w4', 'j1/m3.0');
  for (const id of fast) gone.send({ type: 'worker-left', workerId: id as never });
  expect(gone.on('w4')).toHaveLength(1);

  const stuck = withSlow(27, 5);
  stuck.mapped('w4', 'j1/m3.0');
  stuck.tick(1_000);
  expect(stuck.on('w4')).toEqual([]);
  for (let second = 0; second < 10; second++) stuck.tick(1_000);
  expect(stuck.on('w4')).toHaveLength(1);
});

test('a reduce that only fetches goes back from a worker whose first map is late, once', () => {
  const driver = withSlow(40, 1, 4);
  expect(driver.on('w4')).toEqual(['m3.0', 'r3.0']);
  for (let second = 0; second < 5; second++) {
    driver.tick(1_000);
    finishAll(driver);
  }
  expect(driver.state.jobs.get('j1' as never)!.reduce.waiting.fresh.size).toBe(1);
  expect([...driver.state.workers.get('w4' as never)!.attempts.values()].map(({ status }) => status)).toEqual(
    ['running', 'cancelling'],
  );
  driver.failed('w4', 'j1/r3.0', { kind: 'cancelled', message: 'it was' });
  expect(driver.on('w4')).toEqual(['m3.0']);
  driver.mapped('w4', 'j1/m3.0');
  for (let second = 0; second < 12; second++) {
    driver.tick(1_000);
    finishAll(driver);
  }
  driver.fetchedAll('w1', 'j1/r0.0');
  expect(driver.on('w1')).toEqual(['r0.0', 'r3.1']);
});
