import { expect, test } from 'vitest';
import { ManualClock } from '../../clock.ts';
import { Patience } from './patience.ts';

const passing = { errorType: 'TRANSIENT' } as const;

test('waits longer each time, up to some seconds, until the time is over', async () => {
  const clock = new ManualClock();
  const patience = new Patience(60_000, clock);
  let token = await patience.acquireInitialRetryToken();
  expect(token.getRetryDelay()).toBe(0);
  const waits: number[] = [];
  for (;;) {
    const next = await patience.refreshRetryTokenForRetry(token, passing).catch(() => undefined);
    if (!next) break;
    token = next;
    waits.push(token.getRetryDelay());
    await clock.advance(waits.at(-1)!);
  }
  const waited = waits.reduce((sum, ms) => sum + ms, 0);
  expect(waited).toBeGreaterThanOrEqual(60_000);
  expect(waited).toBeLessThan(66_000);
  expect(waits[0]).toBeLessThanOrEqual(100);
  expect(Math.max(...waits)).toBeLessThanOrEqual(5_000);
  expect(token.getRetryCount()).toBe(waits.length);
});

test.each([
  ['a refusal', 'CLIENT_ERROR'],
  ['what a store does not know, or has no space for,', 'SERVER_ERROR'],
] as const)('%s is not repeated', async (_, errorType) => {
  const patience = new Patience(60_000, new ManualClock());
  const token = await patience.acquireInitialRetryToken();
  await expect(patience.refreshRetryTokenForRetry(token, { errorType })).rejects.toThrow();
});
