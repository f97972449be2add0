import { expect, test } from 'vitest';
import { makeClusterView, makeWorkerView } from '../../test/cluster-view-fixture.ts';
import { renderWorkers } from './workers.ts';

const MiB = 1024 * 1024;

const worker = makeWorkerView({
  slotsUsed: 3,
  attempts: ['m3.0', 'm4.0', 'm5.1', 'r0.0'],
  lastHeartbeatMs: 98_800,
  rssBytes: 300 * MiB,
  memoryBytesMax: 512 * MiB,
  cpuFraction: 1.284,
  scratchBytes: 20 * MiB,
});

const view = makeClusterView({
  slots: 8,
  slotsUsed: 3,
  jobsActive: 1,
  maps: { pending: 1_200, running: 3, completed: 9, failed: 0 },
  reduces: { pending: 4, running: 1, completed: 0, failed: 0 },
  workers: [
    worker,
    {
      ...worker,
      workerId: 'rack2-0b',
      state: 'quarantined',
      quarantinedUntilMs: 160_000,
      attempts: Array.from({ length: 9 }, (_, at) => `m${at}.0`),
    },
  ],
});

test('one row per worker: what it is, what it uses of what it has, when it was heard last, what it runs', () => {
  expect(renderWorkers(view)).toEqual([
    '2 workers, 3 of 8 slots used; 1 job: 4 tasks running, 1,204 waiting',
    'WORKER    STATE               HOST   SLOTS  CPU   MEMORY              SCRATCH  HEARTBEAT  TASKS',
    'rack1-0a  ready               rack1  3/4    128%  300 MiB of 512 MiB  20 MiB   1.2s ago   m3.0 m4.0 m5.1 r0.0',
    'rack2-0b  quarantined for 1m  rack1  3/4    128%  300 MiB of 512 MiB  20 MiB   1.2s ago   m0.0 m1.0 m2.0 m3.0 and 5 more',
  ]);
});

test('what keeps a worker from work stands out', () => {
  const workers = (['ready', 'draining', 'quarantined', 'disconnected'] as const).map((state) => ({
    ...worker,
    state,
  }));
  const lines = renderWorkers({ ...view, workers }, (tone, text) => `${tone}:${text}`);
  expect(lines.slice(2).map((line) => line.split('rack1-0a')[0])).toEqual(['', 'warn:', 'warn:', 'bad:']);
});

test('an idle cluster says so', () => {
  expect(renderWorkers({ ...view, jobsActive: 0 })[0]).toBe('2 workers, 3 of 8 slots used; no job runs');
});
