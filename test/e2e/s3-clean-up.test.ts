/** Jobs on a real MinIO that do not end well: nothing of them is left, neither an object nor a pending upload; and stores that cannot be led on. */
import { once } from 'node:events';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { describeWithMinio } from '../minio/describe-with-minio.ts';
import { until } from '../until.ts';
import { Bucket } from './bucket.ts';
import { endAll, runCli } from './cli-process.ts';
import { Cluster, waitFor } from './cluster.ts';

const jobs = join(import.meta.dirname, 'jobs');
const slowWordCount = join(jobs, 'slow-word-count.ts');
const slowLines = join(jobs, 'slow-lines.ts');
const failsLate = join(jobs, 'fails-late.ts');

const words = ['river', 'mill', 'wheel', 'race', 'stone', 'grain', 'flour', 'sack', 'weir', 'dam'];
const text = `${Array.from({ length: 600 }, (_, i) => `${words[i % 10]} ${words[(i * 7) % 10]}`).join('\n')}\n`;

/** The keys of all parts that a job of so many tasks may stage. */
const partKeys = (kind: 'm' | 'r', count: number) =>
  Array.from({ length: count }, (_, index) => `out/part-${kind}-${String(index).padStart(5, '0')}`);

await describeWithMinio('on MinIO', (minio) => {
  let bucket: Bucket;
  let cluster: Cluster;
  beforeEach(async () => {
    bucket = await Bucket.make(minio());
    await bucket.put('in.txt', text);
    cluster = await Cluster.start({
      workers: 2,
      heartbeatTimeout: '2s',
      store: bucket.uri('cluster'),
      env: minio().env(),
    });
  });
  afterEach(async () => {
    await cluster?.[Symbol.asyncDispose]();
    await endAll();
  });

  const submit = (
    job: string,
    options: { maps?: number; reducers?: number; params?: Record<string, number | string> },
  ) => cluster.client.submit(job, { input: [bucket.uri('in.txt')], output: bucket.uri('out'), ...options });

  async function untilPending(keys: readonly string[], count: number): Promise<void> {
    await until(`${count} parts are begun`, async () => (await bucket.pending(keys)).length >= count);
  }

  async function expectNothingLeft(keys: readonly string[]): Promise<void> {
    expect(await bucket.pending(keys)).toEqual([]);
    expect(await bucket.keys('out')).toEqual([]);
  }

  describe('nothing is left', () => {
    test('of a job that is cancelled while its reduces stage parts', async () => {
      const keys = partKeys('r', 4);
      const handle = await submit(slowWordCount, { maps: 2, reducers: 4, params: { reduceMs: 2_000 } });
      await untilPending(keys, 2);
      expect(await bucket.keys('out')).toEqual([]);
      await handle.cancel();
      expect(await handle.wait()).toMatchObject({ state: 'CANCELLED' });
      await expectNothingLeft(keys);
    });

    test('of a job that fails when some of its parts are staged and accepted', async () => {
      const keys = partKeys('r', 4);
      const handle = await submit(failsLate, { maps: 2, params: { word: 'weir', waitMs: 300 } });
      const view = await handle.wait();
      expect(view).toMatchObject({
        state: 'FAILED',
        cause: { failure: { kind: 'user-error', message: 'no more of weir' } },
      });
      expect(view.reduce.done).toBeGreaterThan(0);
      await expectNothingLeft(keys);
    });

    test('of a map-only job that is cancelled', async () => {
      const keys = partKeys('m', 4);
      const handle = await submit(slowLines, { maps: 4, params: { lineMs: 50 } });
      await untilPending(keys, 2);
      await handle.cancel();
      expect(await handle.wait()).toMatchObject({ state: 'CANCELLED' });
      await expectNothingLeft(keys);
    });

    test('of what workers had begun that were killed before the job was cancelled', async () => {
      const keys = partKeys('r', 4);
      const handle = await submit(slowWordCount, { maps: 2, reducers: 4, params: { reduceMs: 2_000 } });
      await untilPending(keys, 2);
      for (const { process } of cluster.workers) {
        const exited = once(process, 'exit');
        process.kill('SIGKILL');
        await exited;
      }
      // The dead cannot clean up after themselves.
      expect(await bucket.pending(keys)).not.toEqual([]);
      await handle.cancel();
      expect(await handle.wait()).toMatchObject({ state: 'CANCELLED' });
      await expectNothingLeft(keys);
    });
  });

  describe('an input object that is overwritten', () => {
    const changed = text.replaceAll('mill', 'MILL');

    test('while maps read it fails the job, naming the object', async () => {
      const handle = await submit(slowWordCount, { maps: 12, reducers: 2, params: { mapMs: 300 } });
      await waitFor(handle, (view) => view.map.done >= 2);
      await bucket.put('in.txt', changed);
      expect(await handle.wait()).toMatchObject({
        state: 'FAILED',
        cause: {
          failure: { kind: 'input-changed', uri: bucket.uri('in.txt') },
          message: expect.stringContaining(bucket.uri('in.txt')),
        },
      });
      await expectNothingLeft(partKeys('r', 2));
    });

    test('when all maps are done changes nothing', async () => {
      const handle = await submit(slowWordCount, { maps: 2, reducers: 2, params: { reduceMs: 60 } });
      await waitFor(handle, (view) => view.map.done === 2);
      await bucket.put('in.txt', changed);
      expect(await handle.wait()).toMatchObject({ state: 'COMPLETED' });
      expect(Object.values(await bucket.parts('out/')).join('')).not.toContain('MILL');
    });
  });

  test('a coordinator that stood still for longer than its lease says who leads, and stops', async () => {
    const options = { workers: 1, heartbeatTimeout: '2s', env: minio().env() };
    const store = bucket.uri('pair');
    await using pair = await Cluster.start({ ...options, store, standby: true, lease: '1s' });
    const deposed = pair.coordinator.process;
    deposed.kill('SIGSTOP');
    const input = [bucket.uri('in.txt')];
    const handle = await pair.client.submit(slowWordCount, { input, output: bucket.uri('out') });
    expect(await handle.wait()).toMatchObject({ state: 'COMPLETED' });
    const exited = once(deposed, 'exit');
    deposed.kill('SIGCONT');
    expect(await exited).toEqual([1, null]);
    expect(pair.coordinatorLog()).toMatch(/another coordinator leads: .*s3:\/\/.*\/pair\//);
  });
});

describe('a store that cannot be reached', () => {
  const start = (store: string, env: Record<string, string>) =>
    runCli(['coordinator', '--listen', '127.0.0.1:0', '--http', '127.0.0.1:0', '--store', store], { env });
  const nobody = {
    AWS_ACCESS_KEY_ID: 'somebody',
    AWS_SECRET_ACCESS_KEY: 'something',
    AWS_REGION: 'us-east-1',
  };

  test('ends the start of a coordinator with exit code 3, naming the endpoint and its setting', async () => {
    const { code, stderr } = await start('s3://bucket/cluster', {
      ...nobody,
      AWS_ENDPOINT_URL_S3: 'http://127.0.0.1:9',
    });
    expect({ code, stderr }).toMatchObject({
      code: 3,
      stderr: expect.stringMatching(/http:\/\/127\.0\.0\.1:9.*AWS_ENDPOINT_URL_S3/s),
    });
    expect(stderr).not.toContain('something');
  });
});
