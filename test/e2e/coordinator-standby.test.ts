/** Two coordinators on one store, the one that leads killed or stopped: the other one goes on with the job, and the first decides nothing more. */
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { JobHandle } from '../../sdk/handle.ts';
import { Cluster, readParts, waitFor } from './cluster.ts';

const slowWordCount = join(import.meta.dirname, 'jobs/slow-word-count.ts');
const shape = { maps: 12, reducers: 6 };

let folder: string;
let expected: Record<string, string>;
let notes = '';
let output: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-standby-'));
  const lines = Array.from({ length: 2_400 }, (_, i) => `mill w${i % 97} ${i % 2 ? 'weir' : 'race'}`);
  writeFileSync(join(folder, 'text.txt'), `${lines.join('\n')}\n`);
  await using cluster = await Cluster.start({ workers: 1, slots: 2 });
  output = join(folder, 'undisturbed');
  await (await submit(cluster, {})).wait();
  expected = readParts(output);
  expect(Object.values(expected).join('')).toContain('mill\t2400');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));
beforeEach(() => {
  notes = mkdtempSync(join(folder, 'notes-'));
  output = join(folder, `out-${notes.slice(-6)}`);
});

function submit(cluster: Cluster, params: object): Promise<JobHandle> {
  const options = { input: [join(folder, 'text.txt')], output, ...shape };
  return cluster.client.submit(slowWordCount, { ...options, params: { ...params, notes } });
}

/** Of the entries of the journal, in order; those before the newest snapshot may be gone. */
function epochsOf(cluster: Cluster): number[] {
  const log = join(cluster.folder, 'store/log');
  return readdirSync(log)
    .sort()
    .map((name) => JSON.parse(readFileSync(join(log, name), 'utf8').split('\n')[0]!).epoch);
}

test('the one that leads is killed: the other one goes on, and nothing that survived is done again', async () => {
  await using cluster = await Cluster.start({ workers: 2, standby: true, lease: '1s' });
  const handle = await submit(cluster, { mapMs: 400 });
  await waitFor(handle, ({ map }) => map.done >= 4 && map.running >= 1);
  cluster.coordinator.process.kill('SIGKILL');
  expect(await handle.wait()).toMatchObject({ state: 'COMPLETED', map: { reruns: 0 } });
  expect(readParts(output)).toEqual(expected);
  expect(readdirSync(notes)).toHaveLength(shape.maps + shape.reducers);
});

test('the one that leads is ended in order: who waits for a job goes on waiting, with the other one', async () => {
  await using cluster = await Cluster.start({ workers: 2, standby: true, lease: '1s' });
  const handle = await submit(cluster, { mapMs: 400 });
  const ended = handle.wait();
  await waitFor(handle, ({ map }) => map.done >= 4 && map.running >= 1);
  cluster.coordinator.process.kill('SIGTERM');
  expect(await ended).toMatchObject({ state: 'COMPLETED', map: { reruns: 0 } });
  expect(readParts(output)).toEqual(expected);
});

test('the one that leads stands still for longer than its lease: when it goes on it stops, and has decided nothing', async () => {
  await using cluster = await Cluster.start({ workers: 2, standby: true, lease: '1s' });
  const handle = await submit(cluster, { mapMs: 400 });
  await waitFor(handle, ({ map }) => map.done >= 4);
  const deposed = cluster.coordinator.process;
  deposed.kill('SIGSTOP');
  expect(await handle.wait()).toMatchObject({ state: 'COMPLETED' });
  const exited = once(deposed, 'exit');
  deposed.kill('SIGCONT');
  expect(await exited).toEqual([1, null]);
  expect(cluster.coordinatorLog()).toMatch(/stopped leading|another coordinator/);
  expect(await handle.status()).toMatchObject({ state: 'COMPLETED' });
  expect(readParts(output)).toEqual(expected);
  const epochs = epochsOf(cluster);
  expect(epochs).toEqual(epochs.toSorted((a, b) => a - b));
});
