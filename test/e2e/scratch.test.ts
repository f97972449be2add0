/** The scratch disk of real workers: never more on it than its limit, a cause with a name when that is too little, nothing left behind. */
import { once } from 'node:events';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statfsSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Client } from '../../sdk/client.ts';
import { mountSmallDisk } from '../small-disk.ts';
import { untilNone } from '../until.ts';
import { Cluster, waitFor } from './cluster.ts';

const job = join(import.meta.dirname, 'jobs/wide-pairs.ts');
const MiB = 1024 * 1024;
let folder: string;
let input: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-scratch-'));
  input = join(folder, 'lines.txt');
  // Lines of one length: each of four maps has one.
  writeFileSync(input, 'a\nb\nc\nd\n');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Four maps that leave so many bytes each. */
function submit(client: Client, name: string, bytesPerMap: number, until = '') {
  const params = { bytesPerPair: 10_000, pairsPerLine: Math.ceil(bytesPerMap / 10_000), until };
  return client.submit(job, { input: [input], output: join(folder, name), maps: 4, params });
}

/** What lies under the folders of workers, beside the note of whose they are. */
function leftOvers(scratch: string): string[] {
  const paths = readdirSync(scratch, { recursive: true, encoding: 'utf8' });
  return paths.filter((path) => path.includes('/') && !path.endsWith('/owner.json'));
}

/** The end of a job reaches workers after its clients. */
async function untilEmpty(scratch: string): Promise<void> {
  await untilNone('the scratch folder is empty', () => leftOvers(scratch));
}

test('a job that needs more than the scratch limit fails by that name, and leaves nothing', async () => {
  await using cluster = await Cluster.start({
    ...{ workers: 1, slots: 2 },
    workerFlags: () => ['--scratch-limit', '4MiB'],
  });
  const handle = await submit(cluster.client, 'too-large', 3 * MiB);
  const view = await handle.wait().catch(() => handle.status());
  expect(view.state).toBe('FAILED');
  expect(view.cause?.message).toMatch(
    /the scratch folder .*\/scratch-0 has no room for .* of 4 MiB are in use .*--scratch-limit \(MILLRACE_SCRATCH_LIMIT\)/,
  );
  expect(view.failedAttempts.every(({ failure }) => failure.kind === 'no-space')).toBe(true);
  await untilEmpty(join(cluster.folder, 'scratch-0'));
});

test('a job that fits once another has ended waits for that, and no attempt fails', async () => {
  await using cluster = await Cluster.start({
    ...{ workers: 1, slots: 2 },
    workerFlags: () => ['--scratch-limit', '8MiB'],
  });
  const until = join(folder, 'go-on');
  const first = await submit(cluster.client, 'first', 1.25 * MiB, until);
  await waitFor(first, (view) => view.map.done === 4 && view.reduce.running > 0);
  const second = await submit(cluster.client, 'second', 1.25 * MiB);
  // Five and two times 1.25 MiB lie there now: the third map has no room beside the first job.
  await waitFor(second, (view) => view.map.done >= 2);
  writeFileSync(until, '');
  const [one, two] = [await first.wait(), await second.wait()];
  expect([one.state, two.state]).toEqual(['COMPLETED', 'COMPLETED']);
  expect([...one.failedAttempts, ...two.failedAttempts]).toEqual([]);
  await untilEmpty(join(cluster.folder, 'scratch-0'));
});

test('a worker killed and started again keeps what is needed while it is needed, and then nothing', async () => {
  await using cluster = await Cluster.start({ workers: 1, slots: 1, heartbeatTimeout: '30s' });
  const scratch = join(cluster.folder, 'scratch-0');
  const until = join(folder, 'go-on-restarted');
  const handle = await submit(cluster.client, 'restarted', 100_000, until);
  await waitFor(handle, (view) => view.map.done === 4);
  const [worker] = cluster.workers;
  worker!.process.kill('SIGKILL');
  await once(worker!.process, 'exit');
  // A torn file, as a death in the middle of a write leaves it.
  const [dead] = readdirSync(scratch);
  mkdirSync(join(scratch, dead!, handle.id, 'm9.0.e1'), { recursive: true });
  writeFileSync(join(scratch, dead!, handle.id, 'm9.0.e1/output.run.tmp'), 'torn');
  const again = await cluster.startWorker(0);
  const runs = leftOvers(scratch).filter((path) => /\.(run|tmp)/.test(path));
  expect(readdirSync(scratch)).not.toContain(dead);
  expect(runs.map((path) => path.split('/').slice(2).join('/')).sort()).toEqual(
    [0, 1, 2, 3].map((map) => `m${map}.0.e1/output.run`),
  );
  writeFileSync(until, '');
  expect((await handle.wait()).state).toBe('COMPLETED');
  await untilEmpty(scratch);
  again.process.kill('SIGTERM');
  await once(again.process, 'exit');
  expect(readdirSync(scratch)).toEqual([]);
});

test('a disk that is really full is the same cause, and what could not be written whole is removed', async (context) => {
  const path = join(folder, 'small-disk');
  using disk = mountSmallDisk(path, 16 * MiB);
  if (!disk) return context.skip();
  await using cluster = await Cluster.start({
    ...{ workers: 1, slots: 2 },
    // The last --dir counts. The limit is beyond the disk: its own fullness is found, by asking it or by a write that fails.
    workerFlags: () => ['--dir', path, '--scratch-limit', '1GiB'],
  });
  const { bavail, bsize } = statfsSync(path);
  writeFileSync(join(path, 'of-others'), Buffer.alloc(bavail * bsize - 2 * MiB));
  const handle = await submit(cluster.client, 'full', 3 * MiB);
  const view = await handle.wait().catch(() => handle.status());
  expect(view.state).toBe('FAILED');
  expect(view.failedAttempts.map(({ failure }) => failure.kind)).toContain('no-space');
  expect(view.cause?.message).toContain(path);
  await untilEmpty(path);
  rmSync(join(path, 'of-others'));
  expect(readFileSync(input, 'utf8')).toBe('a\nb\nc\nd\n');
  // The same worker goes on when there is room again.
  const again = await submit(cluster.client, 'room-again', 1 * MiB);
  expect((await again.wait()).state).toBe('COMPLETED');
});
