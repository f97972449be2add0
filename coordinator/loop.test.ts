import { expect, test } from 'vitest';
import { ManualClock } from '../lib/clock.ts';
import type { Effect, PersistRecord } from './core/effects.ts';
import type { Event } from './core/events.ts';
import { Loop, type LoopPorts } from './loop.ts';

const record = { type: 'job-committing', at: 0, jobId: 'j' } as unknown as PersistRecord;
const say = (text: string): Effect => ({ type: 'say', level: 'info', about: {}, text });

function harness(overrides: Partial<LoopPorts> = {}) {
  const order: string[] = [];
  const fatal: unknown[] = [];
  const clock = new ManualClock(100);
  const loop = new Loop({
    clock,
    journal: {
      epoch: 1,
      async append(records) {
        order.push(`append ${records.length}`);
      },
    },
    step(event: Event) {
      order.push(`step ${event.type} ${event.now}`);
      return { persist: [record], effects: [say(event.type)] };
    },
    perform: (effect) => order.push(`perform ${(effect as { text: string }).text}`),
    onFatal: (error) => fatal.push(error),
    ...overrides,
  });
  return { loop, order, fatal, clock };
}

test('after each group, durable and performed, and before the next one is stepped, it says so', async () => {
  const { loop, order } = harness({ committed: () => order.push('committed') });
  loop.dispatch({ type: 'worker-left', workerId: 'w' as never });
  await loop.idle();
  loop.dispatch({ type: 'tick' });
  await loop.idle();
  const group = (name: string) => [`step ${name} 100`, 'append 1', `perform ${name}`, 'committed'];
  expect(order).toEqual([...group('worker-left'), ...group('tick')]);
});

test('what a step persists is durable before any of its effects runs, and events that came together share one append', async () => {
  const { loop, order } = harness();
  loop.dispatch({ type: 'worker-left', workerId: 'w' as never });
  loop.dispatch({ type: 'cancel-requested', jobId: 'j' as never, reason: '' });
  await loop.idle();
  expect(order).toEqual([
    'step worker-left 100',
    'step cancel-requested 100',
    'append 2',
    'perform worker-left',
    'perform cancel-requested',
  ]);
});

test('ticks that fell due while an append took long are one, after all that workers said meanwhile', async () => {
  const append = Promise.withResolvers<void>();
  const { loop, order } = harness({ journal: { epoch: 1, append: () => append.promise } });
  loop.dispatch({ type: 'worker-left', workerId: 'w' as never });
  await Promise.resolve();
  for (let i = 0; i < 3; i++) {
    loop.dispatch({ type: 'tick' });
    loop.dispatch({ type: 'worker-disconnected', workerId: `w${i}` as never });
  }
  append.resolve();
  await loop.idle();
  expect(order.filter((line) => line.startsWith('step'))).toEqual([
    'step worker-left 100',
    'step worker-disconnected 100',
    'step worker-disconnected 100',
    'step worker-disconnected 100',
    'step tick 100',
  ]);
});

test('an effect that dispatches is followed by its event, in a later group', async () => {
  const { loop, order } = harness({
    perform: (effect) => {
      order.push('perform');
      if ((effect as { text: string }).text === 'tick')
        loop.dispatch({ type: 'worker-left', workerId: 'w' as never });
    },
  });
  loop.dispatch({ type: 'tick' });
  await loop.idle();
  expect(order).toEqual([
    'step tick 100',
    'append 1',
    'perform',
    'step worker-left 100',
    'append 1',
    'perform',
  ]);
});

test('time goes on as the monotonic clock does, however the wall clock is set', async () => {
  const hourMs = 3_600_000;
  const clock = { wallMs: 100, sinceMs: 7 };
  const { loop, order } = harness({
    clock: { now: () => clock.wallMs, monotonicMs: () => clock.sinceMs, after: () => () => undefined },
  });
  for (const wallMs of [100, 100 - hourMs, 100 + hourMs]) {
    clock.wallMs = wallMs;
    loop.dispatch({ type: 'worker-left', workerId: 'w' as never });
    await loop.idle();
    clock.sinceMs += 10;
  }
  expect(order.filter((line) => line.startsWith('step'))).toEqual([
    'step worker-left 100',
    'step worker-left 110',
    'step worker-left 120',
  ]);
});

test('a journal that fails stops the loop before any effect of the group runs', async () => {
  const { loop, order, fatal } = harness({
    journal: {
      epoch: 1,
      append: () => Promise.reject(new Error('disk full')),
    },
  });
  loop.dispatch({ type: 'tick' });
  await loop.idle();
  loop.dispatch({ type: 'tick' });
  await loop.idle();
  expect(order).toEqual(['step tick 100']);
  expect(fatal).toEqual([new Error('disk full')]);
});

test('nobody is told that what was asked is settled when the journal failed to take it', async () => {
  const append = Promise.withResolvers<void>();
  const { loop } = harness({ journal: { epoch: 1, append: () => append.promise } });
  loop.dispatch({ type: 'worker-left', workerId: 'w' as never });
  const asked = loop.settled();
  append.reject(new Error('another coordinator leads'));
  await expect(asked).rejects.toMatchObject({ code: 'unavailable' });
  loop.dispatch({ type: 'worker-left', workerId: 'w' as never });
  await expect(loop.settled()).rejects.toThrow(/does not lead any more/);
});
