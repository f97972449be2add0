/** A cluster whose every way to MinIO goes through a proxy that loses answers and refuses requests: the same bytes, and every decision once. */
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { SubmitOptions } from '../../sdk/submit-options.ts';
import { FaultProxy } from '../faults/fault-proxy.ts';
import { describeWithMinio } from '../minio/describe-with-minio.ts';
import { Bucket, decisionsOfCompletedJob } from './bucket.ts';
import { Cluster } from './cluster.ts';

const wordCount = join(import.meta.dirname, '../../examples/word-count.ts');
const slowWordCount = join(import.meta.dirname, 'jobs/slow-word-count.ts');
const words = ['river', 'mill', 'wheel', 'race', 'stone', 'grain', 'flour', 'sack', 'weir', 'dam'];
const text = `${Array.from({ length: 500 }, (_, i) => `${words[i % 10]} ${words[(i * 7) % 10]}`).join('\n')}\n`;

const linesOf = (parts: Record<string, string>) => Object.values(parts).join('').split('\n').sort();

await describeWithMinio('with answers of MinIO lost', (minio) => {
  let bucket: Bucket;
  let proxy: FaultProxy;
  let cluster: Cluster;
  let expected: Record<string, string>;

  const run = async (output: string, shape: Partial<SubmitOptions> = { maps: 4, reducers: 3 }) => {
    const places = { input: [bucket.uri('in.txt')], output: bucket.uri(output) };
    const handle = await cluster.client.submit(wordCount, { ...places, ...shape });
    const view = await handle.wait();
    return { id: handle.id, state: view.state };
  };

  beforeEach(async () => {
    bucket = await Bucket.make(minio());
    await bucket.put('in.txt', text);
    proxy = await FaultProxy.start(minio().endpoint);
    cluster = await Cluster.start({
      workers: 2,
      store: bucket.uri('cluster'),
      env: minio().env(proxy.endpoint),
    });
    expect(await run('undisturbed')).toMatchObject({ state: 'COMPLETED' });
    expected = await bucket.parts('undisturbed/');
  });
  afterEach(async () => {
    await cluster?.[Symbol.asyncDispose]();
    await proxy?.[Symbol.asyncDispose]();
  });

  /** The journal has no gap, and each decision about the job once. */
  async function expectDecidedOnce(id: string): Promise<void> {
    const types = (await bucket.decisionsOf('cluster/', id)).map(({ type }) => type);
    expect(types.filter((type) => !type.startsWith('part-'))).toEqual(decisionsOfCompletedJob);
  }

  test('lost answers to puts and to the completion of parts: every decision and every part is there once', async () => {
    proxy.fail('PutObject', { kind: 'lose-answer' }, { times: 5, skip: 1 });
    proxy.fail('CompleteMultipartUpload', { kind: 'lose-answer' }, { times: 2 });
    const { id, state } = await run('out');
    expect(state).toBe('COMPLETED');
    expect(await bucket.parts('out/')).toEqual(expected);
    const keys = await bucket.keys('out/');
    expect(keys).toContain('out/_SUCCESS');
    expect(await bucket.pending(keys)).toEqual([]);
    await expectDecidedOnce(id);
  });

  test('a store that refuses more often than one request is tried: the coordinator waits, and goes on', async () => {
    proxy.fail(
      'PutObject',
      { kind: 'answer', status: 503, code: 'SlowDown' },
      { times: 7, skip: 1, under: '/log/' },
    );
    const { id, state } = await run('out');
    expect(state).toBe('COMPLETED');
    expect(await bucket.parts('out/')).toEqual(expected);
    await expectDecidedOnce(id);
    expect(cluster.coordinatorLog()).toContain('the journal cannot be written; trying again');
  });

  const notReady = { kind: 'answer', status: 503, code: 'XMinioServerNotInitialized' } as const;

  test('a store that is restarted while a map reads and a reduce writes costs no attempt', async () => {
    // After the GET of the bundle.
    proxy.fail('GetObject', notReady, { times: 5, skip: 1 });
    for (const operation of ['CreateMultipartUpload', 'UploadPart'])
      proxy.fail(operation, notReady, { times: 5 });
    expect(await run('out', { maps: 1, reducers: 1, maxAttempts: 1 })).toMatchObject({ state: 'COMPLETED' });
    expect(linesOf(await bucket.parts('out/'))).toEqual(linesOf(expected));
  });

  test('a store that is restarted while a job is cancelled is waited for: nothing is left', async () => {
    const handle = await cluster.client.submit(slowWordCount, {
      input: [bucket.uri('in.txt')],
      output: bucket.uri('out'),
      maps: 1,
      reducers: 1,
      params: { reduceMs: 10_000 },
    });
    const keys = ['out/part-r-00000'];
    while ((await bucket.pending(keys)).length === 0);
    // The coordinator is the only one to drop it: the thread of the reduce is stopped while it waits.
    proxy.fail('AbortMultipartUpload', notReady, { times: 5 });
    await handle.cancel();
    expect(await handle.wait()).toMatchObject({ state: 'CANCELLED' });
    expect(await bucket.pending(keys)).toEqual([]);
  });
});
