import { expect, test } from 'vitest';
import { Driver } from '../../test/core/driver.ts';
import { makeSplits } from '../../test/core/make.ts';

/** Four maps on two workers; all but m3 (on w2) are done after 2 s. */
function straggling(bytesOfLast = 1000): Driver {
  const driver = new Driver();
  driver.join('w1', { slots: 2 });
  driver.join('w2', { slots: 2 });
  driver.submit('j1', [...makeSplits(3), ...makeSplits(1, bytesOfLast)], { reducers: 0 });
  driver.tick(2_000);
  for (const [worker, attempt] of [
    ['w1', 'm0.0'],
    ['w2', 'm1.0'],
    ['w1', 'm2.0'],
  ] as const) {
    driver.mapped(worker, `j1/${attempt}`);
  }
  return driver;
}

test('a straggler of at least ten seconds gets one backup, on another worker', () => {
  const driver = straggling();
  driver.tick(7_999);
  expect(driver.assigned).toEqual([]);
  driver.tick(1);
  expect(driver.assigned).toEqual(['w1 m3.1']);
  driver.tick(60_000);
  expect(driver.assigned).toEqual([]);
});

test('a task slow because its input is large gets none', () => {
  const driver = straggling(10_000);
  driver.tick(15_000);
  expect(driver.assigned).toEqual([]);
});

test('a task that is nearly done gets none', () => {
  const driver = straggling();
  driver.tick(10_000, { 'j1/m3.0': 900 });
  expect(driver.assigned).toEqual([]);
});

test('a backup that dies leaves the first attempt running, and there is no second backup', () => {
  const driver = straggling();
  driver.tick(10_000);
  driver.failed('w1', 'j1/m3.1', { kind: 'internal', message: 'no' });
  driver.tick(10_000);
  expect(driver.assigned).toEqual([]);
  driver.mapped('w2', 'j1/m3.0');
  expect(driver.effects.some((effect) => effect.type === 'publish-output')).toBe(true);
});

test('at most a tenth of all slots run backups', () => {
  const driver = new Driver();
  for (let at = 0; at < 10; at++) driver.join(`w${at}`, { slots: 2 });
  driver.submit('j1', makeSplits(16), { reducers: 0 });
  const running = () =>
    [...driver.state.workers.keys()].flatMap((id) => driver.on(id).map((name) => [id, name] as const));
  driver.tick(1_000);
  for (const [worker, attempt] of running().slice(0, 10)) driver.mapped(worker, `j1/${attempt}`);
  driver.tick(30_000);
  expect(driver.assigned).toHaveLength(2);
  driver.tick(30_000);
  expect(driver.assigned).toEqual([]);
});

test('a reduce is measured from when the last map was done, however long it waited before', () => {
  const driver = new Driver();
  driver.join('w1', { slots: 4 });
  driver.join('w2', { slots: 4 });
  driver.submit('j1', makeSplits(2), { reducers: 4 });
  driver.mapped('w1', 'j1/m0.0');
  driver.tick(60_000);
  driver.mapped('w2', 'j1/m1.0');
  // The slow map had a backup, which must not stand in the way of the next.
  driver.failed('w1', 'j1/m1.1', { kind: 'cancelled', message: 'lost' });
  driver.tick(1_000);
  const fetching = ['w1', 'w2'].flatMap((id) => driver.on(id).map((name) => [id, name] as const));
  for (const [worker, attempt] of fetching.slice(0, 3)) driver.reduced(worker, `j1/${attempt}`, 2);
  driver.tick(8_999);
  expect(driver.assigned).toEqual([]);
  driver.tick(1);
  expect(driver.assigned).toHaveLength(1);
});
