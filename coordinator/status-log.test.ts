import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { ManualClock } from '../lib/clock.ts';
import type { ClusterView } from '../lib/cluster-view.ts';
import type { WorkerId } from '../lib/ids.ts';
import { createLog } from '../lib/log.ts';
import { Driver } from '../test/core/driver.ts';
import { makeSplits } from '../test/core/make.ts';
import { viewCluster } from './core/view.ts';
import { startStatusLog } from './status-log.ts';

const log = createLog('test', 'silent');
let clock: ManualClock;
let driver: Driver;
let stop: () => void;
let lines: { fields: unknown; text: string }[];

beforeEach(() => {
  clock = new ManualClock();
  driver = new Driver();
  lines = [];
  vi.spyOn(log, 'info').mockImplementation((...said: unknown[]) => {
    lines.push({ fields: said.length > 1 ? said[0] : undefined, text: String(said.at(-1)) });
  });
  stop = startStatusLog({ clock, log, view: () => viewCluster(driver.state) });
});
afterEach(() => {
  stop();
  vi.restoreAllMocks();
});

function nextLines(): string[] {
  lines = [];
  clock.advance(10_000);
  return lines.map((line) => line.text);
}

test('every ten seconds it says who is there, what they do, what waits and what failed', () => {
  driver.join('w1');
  driver.join('w2', { slots: 1 });
  driver.submit('j1', makeSplits(5), { reducers: 2 });
  driver.mapped('w1', 'j1/m0.0');
  driver.failed('w2', 'j1/m1.0', { kind: 'internal', message: 'no' });
  driver.now = 1_500;
  driver.send({ type: 'worker-disconnected', workerId: 'w2' as WorkerId });
  expect(nextLines()).toEqual([
    'status: workers 1 ready, 1 disconnected: w1 ready (1.5 s ago), w2 disconnected (1.5 s ago); slots 3/3; ' +
      'maps 1 pending, 3 running, 1 completed, 1 failed; reduces 0 pending, 2 running, 0 completed, 0 failed; jobs 1 MAPPING',
  ]);
  expect(lines[0]!.fields).toEqual({
    workers: [
      { worker: 'w1', state: 'ready', silentMs: 1_500 },
      { worker: 'w2', state: 'disconnected', silentMs: 1_500 },
    ],
    workersByState: { ready: 1, disconnected: 1 },
    slots: 3,
    slotsUsed: 3,
    maps: { pending: 1, running: 3, completed: 1, failed: 1 },
    reduces: { pending: 0, running: 2, completed: 0, failed: 0 },
    jobs: { MAPPING: 1 },
  });
  expect(nextLines()).toHaveLength(1);
});

test('when nothing runs and nothing changes it says so once, and is silent until something does', () => {
  driver.join('w1');
  expect(nextLines()[0]).toContain('workers 1 ready');
  expect(nextLines()).toEqual(['status: idle; the next line comes when something changes']);
  expect(nextLines()).toEqual([]);
  expect(nextLines()).toEqual([]);
  driver.send({ type: 'worker-draining', workerId: 'w1' as WorkerId });
  expect(nextLines()[0]).toContain('workers 1 draining');
  expect(nextLines()).toEqual(['status: idle; the next line comes when something changes']);
  driver.submit('j1', makeSplits(1));
  expect(nextLines()).toHaveLength(1);
  expect(nextLines()).toHaveLength(1);
});

test('a cluster without workers says that', () => {
  expect(nextLines()[0]).toMatch(/^status: no workers; slots 0\/0; .*; no jobs$/);
});

test('of very many workers those in trouble are named', () => {
  for (let at = 0; at < 200; at++) driver.join(`w${at}`);
  driver.send({ type: 'worker-disconnected', workerId: 'w150' as WorkerId });
  expect(nextLines()[0]).toMatch(
    /^status: workers 199 ready, 1 disconnected: w150 disconnected .*, 180 more; /,
  );
  expect((lines[0]!.fields as { workers: ClusterView['workers'] }).workers).toHaveLength(20);
});

test('once stopped it says nothing', () => {
  stop();
  expect(nextLines()).toEqual([]);
});
