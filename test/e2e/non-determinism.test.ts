/** A map that makes something else when it runs again, in real processes: one consistent result, or with `--on-nondeterminism fail` a job that failed. */
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { parseManifest } from '../../lib/success-manifest.ts';
import { type Ended, endAll, startCli } from './cli-process.ts';
import { Cluster, readParts, waitFor } from './cluster.ts';

const job = join(import.meta.dirname, 'jobs/not-deterministic.ts');
const maps = 4;
let folder: string;
let input: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-differs-'));
  input = join(folder, 'lines.txt');
  writeFileSync(input, 'ten bytes\n'.repeat(maps));
});
afterEach(endAll);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The job, with the worker killed that has made most of the maps when a reduce is done: for its other reduces they run again. */
async function submitAndKillWorker(cluster: Cluster, output: string, flags: string[]): Promise<Ended> {
  const where = ['-i', input, '-o', output, '--maps', String(maps), '-r', '6'];
  const params = ['--param', 'mapMs=300', '--param', 'reduceMs=200'];
  const env = { MILLRACE_COORDINATOR: cluster.address };
  const submitted = startCli(['submit', job, ...where, ...params, ...flags], { env });
  const handle = cluster.client.get(await submitted.firstLine);
  await waitFor(handle, ({ map, reduce }) => map.done === maps && reduce.done >= 1 && reduce.done <= 2);
  const [most] = (await cluster.client.workers()).toSorted((a, b) => b.mapOutputs - a.mapOutputs);
  const lost = cluster.workers.find((worker) => worker.process.pid === most!.pid)!.process;
  lost.kill('SIGKILL');
  await once(lost, 'exit');
  return await submitted.ended;
}

const difference = String.raw`m\d is not deterministic: m\d\.\d+ on \S+ and m\d\.\d+ on \S+ made different output for partitions? [\d, ]+`;

test('with --on-nondeterminism fail the job fails, names the map and both attempts, and publishes nothing', async () => {
  await using cluster = await Cluster.start({ workers: 2, heartbeatTimeout: '2s' });
  const output = join(folder, 'fails');
  const { code, stderr } = await submitAndKillWorker(cluster, output, ['--on-nondeterminism', 'fail']);
  expect(stderr).toMatch(
    new RegExp(
      String.raw`✖ job not-deterministic \(\S+\) failed: ${difference} \(--on-nondeterminism fail\); nothing is published`,
    ),
  );
  expect(code).toBe(1);
  expect(existsSync(output) ? readdirSync(output) : []).toEqual([]);
});

test('without it all parts are of the same attempt of each map, and the map is named at the end and in _SUCCESS', async () => {
  await using cluster = await Cluster.start({ workers: 2, heartbeatTimeout: '2s' });
  const output = join(folder, 'completes');
  const { code, stderr } = await submitAndKillWorker(cluster, output, []);
  expect(stderr).toMatch(new RegExp(difference));
  expect(code).toBe(0);
  const lines = Object.values(readParts(output)).flatMap((part) => part.trimEnd().split('\n'));
  const attempts = new Set(lines.map((line) => line.split('\t')[1]));
  expect([lines.length, attempts.size]).toEqual([24, 1]);
  expect([...attempts][0]!.split(' ')).toHaveLength(maps);
  const success = join(output, '_SUCCESS');
  const { nonDeterministic = [] } = parseManifest(readFileSync(success, 'utf8'), success);
  expect(nonDeterministic.length).toBeGreaterThan(0);
});
