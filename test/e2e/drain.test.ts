/** Real workers, told to leave in the middle of a job: nothing is lost by it. */
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { JobHandle } from '../../sdk/handle.ts';
import { Cluster, readParts, waitFor } from './cluster.ts';

const slowWordCount = join(import.meta.dirname, 'jobs/slow-word-count.ts');
let folder: string;
let input: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-drain-'));
  input = join(folder, 'text.txt');
  writeFileSync(input, 'river mill wheel\n'.repeat(400));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function submit(cluster: Cluster, name: string, params: Record<string, number>): Promise<JobHandle<unknown>> {
  const output = join(folder, name);
  return cluster.client.submit(slowWordCount, { input: [input], output, maps: 8, reducers: 2, params });
}

function expectRight(name: string): void {
  const lines = Object.values(readParts(join(folder, name)))
    .join('')
    .trimEnd()
    .split('\n');
  expect(lines.sort()).toEqual(['mill\t400', 'river\t400', 'wheel\t400']);
}

async function exitOf(cluster: Cluster, at: number): Promise<number | null> {
  const { process: worker } = cluster.workers[at]!;
  if (worker.exitCode === null) await once(worker, 'exit');
  return worker.exitCode;
}

test('SIGTERM: a worker finishes its maps, serves them until they are fetched, and leaves with 0; nothing runs again', async () => {
  await using cluster = await Cluster.start({ workers: 2 });
  const handle = await submit(cluster, 'sigterm', { mapMs: 300 });
  await waitFor(handle, (view) => view.map.done >= 2 && view.map.running >= 2);
  cluster.workers[0]!.process.kill('SIGTERM');
  expect(await exitOf(cluster, 0)).toBe(0);
  const view = await handle.wait();
  expect(view).toMatchObject({ state: 'COMPLETED', failedAttempts: [], map: { reruns: 0 } });

  expectRight('sigterm');
  expect(cluster.coordinatorLog()).toContain('is drained: nothing needs it any more');
});

test('an operator: a worker is drained by its name, is seen draining, and ends by itself', async () => {
  await using cluster = await Cluster.start({ workers: 2 });
  const handle = await submit(cluster, 'operator', { mapMs: 300 });
  await waitFor(handle, (view) => view.map.running >= 2);
  const { pid } = cluster.workers[1]!.process;
  const { workerId } = (await cluster.client.workers()).find((worker) => worker.pid === pid)!;
  const { workers } = await cluster.client.drain(workerId);
  expect(workers.find((worker) => worker.pid === pid)?.state).toBe('draining');
  expect(await exitOf(cluster, 1)).toBe(0);
  expect(await handle.wait()).toMatchObject({ state: 'COMPLETED', failedAttempts: [], map: { reruns: 0 } });
  expectRight('operator');
  expect(await cluster.client.workers()).toHaveLength(1);
  await expect(cluster.client.drain(workerId)).rejects.toMatchObject({ code: 'not-found' });
});

test('--drain-timeout: a worker that is not drained in time leaves with 0, and its tasks run elsewhere, uncharged', async () => {
  await using cluster = await Cluster.start({
    workers: 2,
    workerFlags: (i) => (i === 0 ? ['--drain-timeout', '1ms'] : []),
  });
  const handle = await submit(cluster, 'timeout', { mapMs: 500 });
  await waitFor(handle, (view) => view.map.done >= 2 && view.map.running >= 2);
  cluster.workers[0]!.process.kill('SIGTERM');
  expect(await exitOf(cluster, 0)).toBe(0);
  expect(cluster.workers[0]!.stderr()).toContain('--drain-timeout');
  expect(await handle.wait()).toMatchObject({ state: 'COMPLETED', failedAttempts: [] });
  expectRight('timeout');
});

test('the second signal ends a draining worker at once', async () => {
  await using cluster = await Cluster.start({ workers: 1 });
  const handle = await submit(cluster, 'twice', { mapMs: 60_000 });
  await waitFor(handle, (view) => view.map.running >= 1);
  const worker = cluster.workers[0]!;
  worker.process.kill('SIGTERM');
  await expect.poll(() => cluster.coordinatorLog(), { timeout: 10_000 }).toContain('drains');
  worker.process.kill('SIGTERM');
  expect(await exitOf(cluster, 0)).toBe(143);
  await handle.cancel();
});
