/** Somebody changes what belongs to a job while it runs: the job ends with a cause that names it, and leaves nothing. */
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { JobView } from '../../lib/job-view.ts';
import type { JobHandle } from '../../sdk/handle.ts';
import { Cluster, waitFor } from './cluster.ts';

const slowWordCount = join(import.meta.dirname, 'jobs/slow-word-count.ts');

let folder: string;
let input: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-changed-'));
  input = join(folder, 'text.txt');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function submit(cluster: Cluster, name: string, params: Record<string, number> = {}): Promise<JobHandle> {
  writeFileSync(input, 'mill race weir\n'.repeat(200));
  const options = { input: [input], output: join(folder, name), maps: 4, reducers: 2 };
  return cluster.client.submit(slowWordCount, { ...options, params });
}

async function endOf(handle: JobHandle): Promise<JobView> {
  return handle.wait().catch(() => handle.status());
}

/** In the store of the cluster; there is only this job. */
function bundleOf(cluster: Cluster, handle: JobHandle): string {
  const jobFolder = join(cluster.folder, 'store/jobs', handle.id);
  return join(jobFolder, readdirSync(jobFolder).find((name) => name.startsWith('bundle-'))!);
}

test.each<[what: string, change: (bundle: string) => void, cause: RegExp]>([
  [
    'changed',
    (bundle) => writeFileSync(bundle, 'export default 1;'),
    /bundle-.* has sha256 .*, not .*it will not be run/,
  ],
  ['gone', (bundle) => rmSync(bundle), /there is no file .*bundle-/],
])('the bundle is %s: nothing of it runs', async (what, change, cause) => {
  await using cluster = await Cluster.start({ workers: 0 });
  const handle = await submit(cluster, `bundle-${what}`);
  await waitFor(handle, ({ map }) => map.total === 4);
  change(bundleOf(cluster, handle));
  await cluster.startWorker(0);
  const view = await endOf(handle);
  expect(view.state).toBe('FAILED');
  expect(view.cause?.message).toMatch(cause);
  expect(existsSync(join(folder, `bundle-${what}`))).toBe(false);
});

test('the input changes after it was cut into splits: input-changed, naming the file', async () => {
  await using cluster = await Cluster.start({ workers: 0 });
  const handle = await submit(cluster, 'input');
  await waitFor(handle, ({ map }) => map.total === 4);
  writeFileSync(input, 'something else\n'.repeat(200));
  await cluster.startWorker(0);
  const view = await endOf(handle);
  expect(view.state).toBe('FAILED');
  expect(view.cause?.message).toMatch(/text\.txt changed since it was listed/);
  expect(view.failedAttempts.every(({ failure }) => failure.kind === 'input-changed')).toBe(true);
});

test('the output folder is removed with what was staged in it: nothing is published', async () => {
  await using cluster = await Cluster.start({ workers: 1 });
  const handle = await submit(cluster, 'removed', { reduceMs: 400 });
  await waitFor(handle, ({ reduce }) => reduce.done >= 1);
  rmSync(join(folder, 'removed'), { recursive: true });
  const view = await endOf(handle);
  expect(view.state).toBe('FAILED');
  expect(view.cause?.message).toMatch(/cannot publish .*removed\/part-r-0000\d: its staged file is gone/);
  expect(existsSync(join(folder, 'removed'))).toBe(false);
});

test('a staged part is cut short: the job fails, and no part is seen', async () => {
  await using cluster = await Cluster.start({ workers: 1 });
  const output = join(folder, 'cut');
  const handle = await submit(cluster, 'cut', { reduceMs: 400 });
  await waitFor(handle, ({ reduce }) => reduce.done >= 1);
  const staging = join(output, `.millrace-${handle.id}`);
  const [part] = readdirSync(staging).filter((name) => name.startsWith('part-r-'));
  writeFileSync(join(staging, part!), '');
  const view = await endOf(handle);
  expect(view.state).toBe('FAILED');
  expect(view.cause?.message).toMatch(/part-r-.* has 0 bytes, \d+ were staged: it will not be published/);
  expect(existsSync(output)).toBe(false);
});

test('another program fills the output folder meanwhile: its files stay, and those of the job are not seen', async () => {
  await using cluster = await Cluster.start({ workers: 1 });
  const output = join(folder, 'shared');
  const handle = await submit(cluster, 'shared', { reduceMs: 400 });
  await waitFor(handle, ({ reduce }) => reduce.running + reduce.done >= 1);
  while (!existsSync(output)) await handle.status();
  writeFileSync(join(output, 'part-r-00000'), 'theirs');
  const view = await endOf(handle);
  expect(view.state).toBe('FAILED');
  expect(view.cause?.message).toMatch(/shared\/ is not empty \(it has part-r-00000\).*--if-exists/);
  expect(readdirSync(output)).toEqual(['part-r-00000']);
});
