import { expect, test } from 'vitest';
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
