/** Map output that changes on the disk of a real worker: the job's bytes are right all the same, and `explain` says whose disk it was. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { RunReader } from '../../worker/shuffle/run-file.ts';
import { runCli } from './cli-process.ts';
import { Cluster, readParts, waitFor } from './cluster.ts';

const job = join(import.meta.dirname, 'jobs/wide-pairs.ts');
let folder: string;
let input: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-damaged-'));
  input = join(folder, 'lines.txt');
  writeFileSync(input, 'a\nb\nc\nd\n');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** One bit of every segment of every run file of a worker; how many files there were. */
function damageAll(scratch: string): number {
  const paths = readdirSync(scratch, { recursive: true, encoding: 'utf8' });
  const runs = paths.filter((path) => path.endsWith('/output.run')).map((path) => join(scratch, path));
  for (const path of runs) {
    const bytes = readFileSync(path);
    using run = new RunReader(path);
    for (let partition = 0; partition < run.partitions; partition++) {
      const segment = run.segment(partition);
      if (segment.bytes > 0) bytes[segment.offset + segment.bytes - 1]! ^= 1;
    }
    writeFileSync(path, bytes);
  }
  return runs.length;
}

test('map output that changes on a disk is made again, and explain names the worker and both checksums', async () => {
  await using cluster = await Cluster.start({ workers: 2 });
  const options = { input: [input], maps: 4, reducers: 40 };
  const params = { bytesPerPair: 1_000, pairsPerLine: 200, until: '' };
  const whole = join(folder, 'whole');
  await (await cluster.client.submit(job, { ...options, output: whole, params })).wait();

  const until = join(folder, 'go-on');
  const output = join(folder, 'damaged');
  const handle = await cluster.client.submit(job, { ...options, output, params: { ...params, until } });
  await waitFor(handle, (view) => view.map.done === 4 && view.reduce.running > 0);
  const { workers } = await cluster.client.cluster();
  const scratch = join(cluster.folder, 'scratch-0');
  const damaged = workers.find(({ workerId }) => readdirSync(scratch).includes(workerId))!;
  expect(damageAll(scratch)).toBeGreaterThan(0);
  writeFileSync(until, '');

  const view = await handle.wait();
  expect(view.state).toBe('COMPLETED');
  expect(view.map.reruns).toBeGreaterThan(0);
  expect(readParts(output)).toEqual(readParts(whole));
  expect(view.damagedSegments.map(({ worker, where }) => [worker, where])).toContainEqual([
    damaged.workerId,
    'disk',
  ]);
  const { stdout, stderr } = await runCli(['explain', handle.id, '--coordinator', cluster.address]);
  expect(stdout + stderr).toMatch(
    new RegExp(
      `map output was damaged on the disk of ${damaged.workerId}: m\\d.* \\(on the disk of ${damaged.workerId}: ` +
        'it has crc32 [0-9a-f]{8}, the map wrote [0-9a-f]{8}\\)',
    ),
  );
});
