/** Real processes, really killed: the answer is the same bytes, and the log says what was rerun and why. */
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Cluster, readParts, waitFor } from './cluster.ts';

const jobs = join(import.meta.dirname, 'jobs');
const slowWordCount = join(jobs, 'slow-word-count.ts');
let folder: string;
let input: string;
let expected: Record<string, string>;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-faults-'));
  input = join(folder, 'text.txt');
  const words = ['river', 'mill', 'wheel', 'race', 'stone', 'grain', 'flour', 'sack', 'Mill', 'weir'];
  const lines = Array.from(
    { length: 2_400 },
    (_, i) => `${words[i % 10]} ${words[(i * 7) % 9]} w${i % 97} x`,
  );
  writeFileSync(input, `${lines.join('\n')}\n`);
  await using cluster = await Cluster.start({ workers: 1, slots: 2 });
  const output = join(folder, 'undisturbed');
  await (await cluster.client.submit(slowWordCount, { input: [input], output, maps: 12 })).wait();
  expected = readParts(output);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('the undisturbed answer is right', () => {
  const counts = Object.values(expected).join('').trimEnd().split('\n');
  expect(Object.keys(expected)).toHaveLength(6);
  expect(counts).toContain('x\t2400');
  expect(counts).toContain('w\t2400');
});

test('a worker killed while maps run: same bytes', async () => {
  await using cluster = await Cluster.start({ workers: 3, heartbeatTimeout: '2s' });
  const output = join(folder, 'killed-in-map');
  const handle = await cluster.client.submit(slowWordCount, {
    input: [input],
    output,
    maps: 12,
    params: { mapMs: 300 },
  });
  await waitFor(handle, (view) => view.map.done >= 3 && view.map.running >= 2);
  cluster.workers[0]!.process.kill('SIGKILL');
  const view = await handle.wait();
  expect(view.state).toBe('COMPLETED');
  expect(readParts(output)).toEqual(expected);
});

test('a worker killed after its maps are done while reduces still need them: those maps rerun, the log says why, same bytes', async () => {
  await using cluster = await Cluster.start({ workers: 2, heartbeatTimeout: '2s' });
  const output = join(folder, 'killed-in-reduce');
  const handle = await cluster.client.submit(slowWordCount, {
    input: [input],
    output,
    maps: 12,
    reducers: 6,
    params: { reduceMs: 800 },
  });
  // Two workers of one slot have four places for six reduces: those that wait have not fetched anything yet.
  await waitFor(handle, (view) => view.map.done === 12 && view.reduce.waiting >= 1);
  cluster.workers[1]!.process.kill('SIGKILL');
  const view = await handle.wait();
  expect(view.state).toBe('COMPLETED');
  expect(readParts(output)).toEqual(expected);
  expect(view.map.reruns).toBeGreaterThanOrEqual(1);
  expect(cluster.coordinatorLog()).toMatch(/lost map outputs .*: .* to run again: m\d/);
  expect(readdirSync(output).sort()).toEqual(['_SUCCESS', ...Object.keys(expected)]);
});

test('user code that takes its worker down at once, before any heartbeat, is blamed after three of them', async () => {
  await using cluster = await Cluster.start({ workers: 4, heartbeatTimeout: '2s' });
  const deadly = join(folder, 'deadly.txt');
  writeFileSync(deadly, 'harmless\ndeadly\n');
  const job = join(jobs, 'kills-its-worker.ts');
  const options = { input: [deadly], output: join(folder, 'deadly'), maps: 1 };
  const view = await (await cluster.client.submit(job, options)).wait();
  expect(view.state).toBe('FAILED');
  expect(view.cause?.message).toMatch(/^m0 takes workers down/);
});

test('workers that exit after every second task and are restarted: the job ends with the right answer', async () => {
  await using cluster = await Cluster.start({
    workers: 2,
    slots: 2,
    heartbeatTimeout: '2s',
    workerFlags: () => ['--fail-after', '2'],
  });
  cluster.keepRestarting(0);
  cluster.keepRestarting(1);
  const output = join(folder, 'fail-after');
  const view = await (await cluster.client.submit(slowWordCount, { input: [input], output, maps: 6 })).wait();
  expect(view.state).toBe('COMPLETED');
  expect(readParts(output)).toEqual(expected);
});

test('a worker stopped past its lease and continued: its late reports change nothing', async () => {
  await using cluster = await Cluster.start({ workers: 2, heartbeatTimeout: '2s' });
  const output = join(folder, 'stopped');
  const stopped = cluster.workers[0]!.process;
  const handle = await cluster.client.submit(slowWordCount, {
    input: [input],
    output,
    maps: 8,
    params: { mapMs: 400, reduceMs: 40 },
  });
  await waitFor(handle, (view) => view.map.done >= 2 && view.map.running === 2);
  stopped.kill('SIGSTOP');
  await waitFor(handle, (view) => view.map.running === 1 || view.map.done === view.map.total);
  await waitFor(handle, (view) => view.map.done === 8);
  stopped.kill('SIGCONT');
  const view = await handle.wait();
  expect(view.state).toBe('COMPLETED');
  expect(readParts(output)).toEqual(expected);
});

test('one slow worker: a backup of its task wins and its own output is discarded', async () => {
  await using cluster = await Cluster.start({
    workers: 3,
    workerEnv: (i): Record<string, string> => (i === 0 ? { TEST_SLOW: '1' } : {}),
  });
  const output = join(folder, 'slow');
  const lines = join(folder, 'lines.txt');
  writeFileSync(
    lines,
    'abcdefghijklmnop'
      .split('')
      .map((letter) => `${letter} ten bytes\n`.repeat(8))
      .join(''),
  );
  const handle = await cluster.client.submit(join(jobs, 'one-slow-worker.ts'), {
    input: [lines],
    output,
    maps: 16,
  });
  const view = await handle.wait();
  expect(view.state).toBe('COMPLETED');
  expect(view.map.backups).toBeGreaterThanOrEqual(1);
  expect(view.counters.lines).toBe(128);
  // What the slow worker did in the end was not accepted, and so is not counted.
  expect(view.counters['lines on the slow worker']).toBeUndefined();
  expect(readdirSync(output).sort()).toEqual(['_SUCCESS', 'part-r-00000', 'part-r-00001']);
});

test('eight map tasks that sleep two to five seconds on four workers: exactly eight runs, no backups', async () => {
  await using cluster = await Cluster.start({ workers: 4 });
  const sleeps = [2000, 5000, 3000, 4000, 2500, 4500, 3500, 2000];
  sleeps.forEach((ms, i) => {
    writeFileSync(join(folder, `sleep-${i}.txt`), `${ms}\n`);
  });
  const input = sleeps.map((_, i) => join(folder, `sleep-${i}.txt`));
  const handle = await cluster.client.submit(join(jobs, 'sleepers.ts'), {
    input,
    output: join(folder, 'sleepers'),
    splitSize: 5,
  });
  const view = await handle.wait();
  expect(view).toMatchObject({
    state: 'COMPLETED',
    map: { total: 8, done: 8, backups: 0, failedAttempts: 0 },
  });
  expect(view.counters.runs).toBe(8);
});

test('every worker busy with fetching reduces when a map must rerun: no deadlock', async () => {
  await using cluster = await Cluster.start({ workers: 2, heartbeatTimeout: '2s' });
  const output = join(folder, 'busy');
  const handle = await cluster.client.submit(slowWordCount, {
    input: [input],
    output,
    maps: 8,
    reducers: 6,
    params: { mapMs: 300 },
  });
  // Reduces fetch from the first finished map on; both workers hold some when one of them dies with its maps.
  await waitFor(handle, (view) => view.map.done >= 5 && view.reduce.running >= 2);
  const lost = cluster.workers[1]!.process;
  lost.kill('SIGKILL');
  await once(lost, 'exit');
  const view = await handle.wait();
  expect(view.state).toBe('COMPLETED');
  expect(view.map.reruns).toBeGreaterThanOrEqual(1);
  expect(readParts(output)).toEqual(expected);
});
