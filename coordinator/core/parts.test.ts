import { expect, test } from 'vitest';
import type { WorkerId } from '../../lib/ids.ts';
import type { StagedPart } from '../../lib/job-spec.ts';
import { addCounts, noCounts } from '../../lib/segment-digest.ts';
import { Driver } from '../../test/core/driver.ts';
import { makePart, makeSplits } from '../../test/core/make.ts';
import { parseAttempt } from '../../test/core/transcript-events.ts';

const elsewhere = 'mem:///out/j2/part-r-00000';

/** A reduce that runs on the only worker, all its input held. */
function reducing(): Driver {
  const driver = new Driver();
  driver.join('w1');
  driver.submit('j1', makeSplits(1));
  driver.mapped('w1', 'j1/m0.0');
  driver.fetchedAll('w1', 'j1/r0.0');
  return driver;
}

function said(driver: Driver): string {
  return driver.effects.map((effect) => (effect.type === 'say' ? effect.text : '')).join('');
}

test('a part that is opened where another output is is ignored, and not dropped either', () => {
  const driver = reducing();
  const attempt = parseAttempt('j1/r0.0');
  const opened = { attempt, part: { ...makePart(attempt), uri: elsewhere } };
  driver.send({ type: 'part-opened', workerId: 'w1' as WorkerId, opened });
  expect(said(driver)).toContain(`opened a part at ${elsewhere}: ignored`);
  driver.send({ type: 'cancel-requested', jobId: attempt.jobId, reason: '' });
  driver.failed('w1', 'j1/r0.0', { kind: 'cancelled', message: '' });
  expect(driver.effects).toContainEqual(expect.objectContaining({ type: 'discard-output', parts: [] }));
});

test('a report with a part elsewhere is wrong: it fails the attempt, and that part is left alone', () => {
  const driver = reducing();
  const attempt = parseAttempt('j1/r0.0');
  const part: StagedPart = { ...makePart(attempt), uri: elsewhere };
  const consumed = addCounts(noCounts, { records: 1, bytes: 10, crc32: 1 });
  const outcome = { kind: 'reduce-done', report: { consumed, reduced: consumed, part, fetchMs: 0 } } as const;
  driver.send({
    type: 'attempt-reported',
    workerId: 'w1' as WorkerId,
    report: { attempt, outcome, counters: {} },
  });
  expect(said(driver)).toContain(`its report is wrong: its part is at ${elsewhere}`);
  expect(driver.state.jobs.get(attempt.jobId)!.discards).toEqual([]);
});

test('an attempt that opens a second part has given the first one up', () => {
  const driver = reducing();
  const attempt = parseAttempt('j1/r0.0');
  for (const token of ['one', 'two']) {
    const opened = { attempt, part: { ...makePart(attempt), token } };
    driver.send({ type: 'part-opened', workerId: 'w1' as WorkerId, opened });
  }
  driver.reduced('w1', 'j1/r0.0', 1);
  const dropped = driver.state.jobs.get(attempt.jobId)!.discards.map(({ part }) => part.token);
  expect(dropped).toEqual(['one', 'two']);
});
