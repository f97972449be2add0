import { expect, test } from 'vitest';
import { ManualClock } from '../lib/clock.ts';
import { MillraceError } from '../lib/errors.ts';
import { limits } from '../lib/limits.ts';
import { createLog } from '../lib/log.ts';
import { MemoryStore } from '../lib/store/memory-store.ts';
import { StoreHealth } from './store-health.ts';

/** A store whose head answers, throws or hangs as told; `asked` counts. */
function start() {
  const store = new MemoryStore();
  const answer = { kind: 'good' as 'good' | 'throws' | 'hangs', asked: 0 };
  store.head = async () => {
    answer.asked++;
    if (answer.kind === 'throws') throw new MillraceError('store-failed', 'no');
    if (answer.kind === 'hangs') await new Promise(() => undefined);
    return undefined;
  };
  const clock = new ManualClock();
  const location = { store, key: 'x/', uri: 'mem://a/x/' };
  return { health: new StoreHealth({ clock, log: createLog('t', 'silent'), location }), clock, answer };
}

/** The next look, and its answer. */
async function look(clock: ManualClock): Promise<void> {
  clock.advance(limits.storeCheckIntervalMs);
  await Promise.resolve();
  await new Promise(setImmediate);
}

test('it is not reachable before its first answer, reachable after it', async () => {
  const { health, answer } = start();
  expect(health.isReachable).toBe(false);
  await new Promise(setImmediate);
  expect(health.isReachable).toBe(true);
  expect(answer.asked).toBe(1);
});

test('a store that fails is not reachable until it answers again; reading costs no request', async () => {
  const { health, clock, answer } = start();
  await new Promise(setImmediate);
  answer.kind = 'throws';
  await look(clock);
  expect(health.isReachable).toBe(false);
  answer.kind = 'good';
  await look(clock);
  expect(health.isReachable).toBe(true);
  for (let i = 0; i < 100; i++) expect(health.isReachable).toBe(true);
  expect(answer.asked).toBe(3);
});

test('a store that hangs is given up when its last answer is too old', async () => {
  const { health, clock, answer } = start();
  await new Promise(setImmediate);
  answer.kind = 'hangs';
  await look(clock);
  expect(health.isReachable).toBe(true);
  clock.advance(limits.storeCheckAgeMsMax);
  expect(health.isReachable).toBe(false);
});

test('closed it asks no more', async () => {
  const { health, clock, answer } = start();
  await new Promise(setImmediate);
  health.close();
  await look(clock);
  expect(answer.asked).toBe(1);
});
