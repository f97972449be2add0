import { expect, test } from 'vitest';
import { limits } from '../../lib/limits.ts';
import { segmentDigest } from '../../lib/segment-digest.ts';
import { Driver } from '../../test/core/driver.ts';
import { makeSegment, makeSplits } from '../../test/core/make.ts';
import type { Effect } from './effects.ts';

type Kept = Extract<Effect, { type: 'keep-map-outputs' }>;

function keptIn(driver: Driver): Kept | undefined {
  return driver.effects.find((effect) => effect.type === 'keep-map-outputs');
}

test('at the commit there is a line for each accepted map, with a digest per partition', () => {
  const driver = new Driver();
  driver.join('w1');
  driver.submit('j1', makeSplits(2), { reducers: 2 });
  for (const map of [1, 0]) driver.mapped('w1', `j1/m${map}.0`);
  for (const reduce of [0, 1]) {
    driver.fetchedAll('w1', `j1/r${reduce}.0`);
    expect(keptIn(driver)).toBeUndefined();
    driver.reduced('w1', `j1/r${reduce}.0`, 2);
  }
  const { records, bytes, crc32 } = makeSegment(1);
  const digest = segmentDigest(makeSegment(1));
  const line = { records: 2 * records, bytes: 2 * bytes, crc32: (2 * crc32) % 2 ** 32 };
  const by = { partitions: [digest, digest], attempt: 0, epoch: 1, worker: 'w1' };
  expect(keptIn(driver)?.outputs).toEqual([
    { task: 'm0', ...line, ...by },
    { task: 'm1', ...line, ...by },
  ]);
});

test('a job that fails keeps what it had; one that is cancelled keeps nothing', () => {
  const driver = new Driver();
  driver.join('w1', { slots: 3 });
  const [failing, cancelled] = ['j1', 'j2'].map((id) => driver.submit(id, makeSplits(2), { attemptsMax: 1 }));
  driver.mapped('w1', 'j1/m0.0');
  driver.failed('w1', 'j1/m1.0', { kind: 'internal', message: 'x' });
  expect(failing!.phase.name).toBe('stopping');
  expect(keptIn(driver)?.outputs.map(({ task }) => task)).toEqual(['m0']);
  driver.mapped('w1', 'j2/m0.0');
  driver.send({ type: 'cancel-requested', jobId: cancelled!.spec.jobId, reason: 'enough' });
  expect(keptIn(driver)).toBeUndefined();
});

test('with very many partitions lines say no digests', () => {
  const driver = new Driver();
  driver.join('w1');
  const maps = 1_000;
  const reducers = limits.mapOutputDigestsMax / maps + 1;
  driver.submit('j1', makeSplits(maps), { reducers, attemptsMax: 1 });
  driver.mapped('w1', 'j1/m0.0');
  driver.failed('w1', 'j1/m1.0', { kind: 'internal', message: 'x' });
  expect(keptIn(driver)?.outputs).toEqual([expect.objectContaining({ task: 'm0', partitions: null })]);
});
