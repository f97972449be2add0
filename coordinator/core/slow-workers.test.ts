import { expect, test } from 'vitest';
import { Driver } from '../../test/core/driver.ts';
import { makeSplits } from '../../test/core/make.ts';

const fast = ['w1', 'w2', 'w3'];

/** Of the maps of the other workers. */
const mapMs = 4_000;

/** Three workers do a map each, `times` times; the fourth one, w4, has had its first all the while. */
function withSlow(maps: number, times: number, reducers = 0): Driver {
  const driver = new Driver();
  for (const id of [...fast, 'w4']) driver.join(id, { slots: 1 });
  driver.submit('j1', makeSplits(maps), { reducers });
  for (let i = 0; i < times; i++) {
    driver.tick(mapMs);
    finishAll(driver);
  }
  return driver;
}

function statuses(driver: Driver, worker: string): string[] {
  return [...driver.state.workers.get(worker as never)!.attempts.values()].map(({ status }) => status);
}

function finishAll(driver: Driver): void {
  for (const id of fast) {
    const [map] = driver.on(id).filter((name) => name.startsWith('m'));
    if (map) driver.mapped(id, `j1/${map}`);
  }
}

test('a worker that took five times as long gets no map when the others do what waits before it would', () => {
  const driver = withSlow(25, 5);
  driver.mapped('w4', 'j1/m3.0');
  expect(driver.state.workers.get('w4' as never)!.speed).toBeLessThan(0.3);
  // 6 wait, two each for the others.
  expect(driver.on('w4')).toEqual([]);
  driver.tick(mapMs);
  finishAll(driver);
  expect(driver.on('w4')).toEqual([]);
});

test('while more waits than the others do in that time, it gets its share', () => {
  const driver = withSlow(60, 5);
  driver.mapped('w4', 'j1/m3.0');
  expect(driver.on('w4')).toHaveLength(1);
});

test('it gets what waits when the others are gone, or stand still for as long as it would have taken', () => {
  const gone = withSlow(25, 5);
  gone.mapped('w4', 'j1/m3.0');
  for (const id of fast) gone.send({ type: 'worker-left', workerId: id as never });
  expect(gone.on('w4')).toHaveLength(1);

  const stuck = withSlow(25, 5);
  stuck.mapped('w4', 'j1/m3.0');
  stuck.tick(mapMs);
  expect(stuck.on('w4')).toEqual([]);
  for (let i = 0; i < 10; i++) stuck.tick(mapMs);
  expect(stuck.on('w4')).toHaveLength(1);
});

test('a reduce that only fetches goes back from a worker whose first map is late, once', () => {
  const driver = withSlow(40, 1, 4);
  expect(driver.on('w4')).toEqual(['m3.0', 'r3.0']);
  for (let i = 0; i < 5; i++) {
    driver.tick(mapMs);
    finishAll(driver);
  }
  expect(driver.state.jobs.get('j1' as never)!.reduce.waiting.fresh.size).toBe(1);
  expect(statuses(driver, 'w4')).toEqual(['running', 'cancelling']);
  driver.failed('w4', 'j1/r3.0', { kind: 'cancelled', message: 'it was' });
  expect(driver.on('w4')).toEqual(['m3.0']);
  driver.mapped('w4', 'j1/m3.0');
  for (let i = 0; i < 12; i++) {
    driver.tick(mapMs);
    finishAll(driver);
  }
  driver.fetchedAll('w1', 'j1/r0.0');
  expect(driver.on('w1')).toEqual(['r0.0', 'r3.1']);
});

test('a worker whose only map a backup did first is known as slow, and gets no reduce', () => {
  const driver = withSlow(16, 5, 8);
  driver.tick(mapMs);
  driver.failed('w4', 'j1/r3.0', { kind: 'cancelled', message: 'w4 is slow' });
  expect(driver.on('w1')).toContain('m3.1');
  driver.tick(10_000);
  driver.mapped('w1', 'j1/m3.1');
  driver.failed('w4', 'j1/m3.0', { kind: 'cancelled', message: 'm3.1 finished first' });
  driver.tick(500);
  expect(driver.on('w4')).toEqual([]);
  // It has been held back all through the maps; what counts is how long reduces could have run.
  for (const [at, id] of fast.entries()) driver.fetchedAll(id, `j1/r${at}.0`);
  driver.tick(500);
  driver.reduced('w1', 'j1/r0.0', 16);
  expect(driver.on('w4')).toEqual([]);
});

test('a job of milliseconds keeps its reduces where they are, however long a worker takes to start its first map', () => {
  const driver = new Driver();
  driver.join('w1', { slots: 1 });
  driver.join('w2', { slots: 1 });
  driver.submit('j1', makeSplits(9), { reducers: 2 });
  driver.tick(1_600);
  for (const map of ['m0', 'm2', 'm3', 'm4']) {
    driver.mapped('w1', `j1/${map}.0`);
    driver.tick(50);
  }
  expect(statuses(driver, 'w2')).toEqual(['running', 'running']);
  driver.mapped('w2', 'j1/m1.0');
  expect(driver.on('w2')).toEqual(['r1.0', 'm6.0']);
});
