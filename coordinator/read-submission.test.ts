import { expect, test } from 'vitest';
import { ManualClock } from '../lib/clock.ts';
import { limits } from '../lib/limits.ts';
import { readSubmission } from './read-submission.ts';

test('a client that stops sending is given up, however much came before', async () => {
  const clock = new ManualClock();
  const asked = Promise.withResolvers<void>();
  async function* stalling() {
    yield { specJson: '{', bundle: Buffer.from('x') };
    asked.resolve();
    await new Promise(() => undefined);
  }
  const reading = readSubmission(stalling(), clock);
  reading.catch(() => undefined);
  await asked.promise;
  clock.advance(limits.submitIdleMsMax - 1);
  clock.advance(1);
  await expect(reading).rejects.toMatchObject({
    code: 'timeout',
    message: expect.stringMatching(/nothing came for 30 s/),
  });
});

test('one that is slow but goes on is not: the time counts from the last chunk', async () => {
  const clock = new ManualClock();
  async function* slow() {
    for (let i = 0; i < 5; i++) {
      clock.advance(limits.submitIdleMsMax - 1);
      yield { specJson: 'no spec', bundle: Buffer.alloc(0) };
    }
  }
  await expect(readSubmission(slow(), clock)).rejects.toThrow(/job spec: not JSON/);
});

test('one that never ends, a little at a time, is given up as well', async () => {
  const clock = new ManualClock();
  async function* endless() {
    for (;;) {
      yield { specJson: '{', bundle: Buffer.alloc(0) };
      clock.advance(limits.submitIdleMsMax - 1);
      await null;
    }
  }
  await expect(readSubmission(endless(), clock)).rejects.toMatchObject({
    code: 'timeout',
    message: expect.stringMatching(/took longer than 10 min/),
  });
});
