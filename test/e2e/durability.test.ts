/** Map output in the store: workers that die with their disks cost no rerun, and a damaged copy costs one. */
import { join } from 'node:path';
import { beforeAll, expect, test, vi } from 'vitest';
import type { JobHandle } from '../../sdk/handle.ts';
import { describeWithMinio } from '../minio/describe-with-minio.ts';
import type { Minio } from '../minio/start-minio.ts';
import { Bucket } from './bucket.ts';
import { Cluster, waitFor } from './cluster.ts';

const slowWordCount = join(import.meta.dirname, 'jobs/slow-word-count.ts');
const maps = 8;

await describeWithMinio('map output in the store', (minio) => {
  let bucket: Bucket;
  let expected: Record<string, string>;

  beforeAll(async () => {
    bucket = await Bucket.make(minio());
    const lines = Array.from(
      { length: 2_000 },
      (_, i) => `river mill w${'abcdefgh'[i % 8]} ${i % 3 ? 'race' : 'weir'}`,
    );
    await bucket.put('in/text.txt', `${lines.join('\n')}\n`);
    await using cluster = await startCluster(minio(), bucket, 'undisturbed', 1);
    const handle = await submit(cluster, bucket, 'undisturbed', 'local', 0);
    expect((await handle.wait()).state).toBe('COMPLETED');
    expected = await bucket.parts('out-undisturbed/');
  });

  test.each(['sync', 'async'] as const)(
    '%s: the worker with all outputs dies with its disk: no map runs again',
    async (durability) => {
      await using cluster = await startCluster(minio(), bucket, durability, 1);
      const handle = await submit(cluster, bucket, durability, durability, 800);
      await waitFor(
        handle,
        (view) => view.map.done === maps && view.mapsCopied === maps && view.reduce.done < 2,
      );
      await cluster.loseWorkerWithDisk(0);
      await cluster.startWorker(1);
      const view = await handle.wait();
      expect(view).toMatchObject({
        state: 'COMPLETED',
        map: { reruns: 0, failedAttempts: 0 },
        mapsCopied: maps,
      });
      expect(cluster.coordinatorLog()).toMatch(
        /map outputs are read from their copies \(8\): worker \S+ was silent/,
      );
      expect(await bucket.parts(`out-${durability}/`)).toEqual(expected);
      await vi.waitFor(async () => expect(await copiesOf(bucket, durability)).toEqual([]), 10_000);
    },
  );

  test('the coordinator and the worker with all outputs die, and its disk with it: no map runs again', async () => {
    await using cluster = await startCluster(minio(), bucket, 'restart', 1);
    const handle = await submit(cluster, bucket, 'restart', 'sync', 800);
    await waitFor(handle, (view) => view.map.done === maps && view.reduce.done < 2);
    await cluster.loseWorkerWithDisk(0);
    await cluster.replaceCoordinator();
    await cluster.startWorker(1);
    const view = await handle.wait();
    expect(view).toMatchObject({ state: 'COMPLETED', map: { reruns: 0 }, mapsCopied: maps });
    expect(cluster.coordinatorLog()).toContain(
      '8 of 8 map outputs that no worker brought back are in the store: they do not run again',
    );
    expect(await bucket.parts('out-restart/')).toEqual(expected);
  });

  test('copies that are damaged in the bucket: their maps run again, the others do not, same bytes', async () => {
    await using cluster = await startCluster(minio(), bucket, 'damaged', 1);
    const handle = await submit(cluster, bucket, 'damaged', 'sync', 800);
    await waitFor(handle, (view) => view.map.done === maps && view.reduce.done < 2);
    const copies = await copiesOf(bucket, 'damaged');
    const [piece] = copies.filter((key) => /m3\.\d+\.e1\.00000$/.test(key));
    const [index] = copies.filter((key) => /m5\.\d+\.e1\.json$/.test(key));
    for (const key of [piece!, index!]) await bucket.put(key, damaged(await bucket.text(key)));
    await cluster.loseWorkerWithDisk(0);
    await cluster.startWorker(1);
    const view = await handle.wait();
    expect(view).toMatchObject({ state: 'COMPLETED', map: { reruns: 2 } });
    expect(view.damagedSegments.map(({ where }) => where)).toContain('store');
    expect(await bucket.parts('out-damaged/')).toEqual(expected);
  });
});

function startCluster(minio: Minio, bucket: Bucket, name: string, workers: number): Promise<Cluster> {
  return Cluster.start({
    workers,
    slots: 2,
    heartbeatTimeout: '2s',
    store: bucket.uri(`${name}/`),
    env: minio.env(),
  });
}

function submit(
  cluster: Cluster,
  bucket: Bucket,
  name: string,
  durability: 'local' | 'async' | 'sync',
  reduceMs: number,
): Promise<JobHandle<unknown>> {
  const [input, output] = [[bucket.uri('in/')], bucket.uri(`out-${name}/`)];
  return cluster.client.submit(slowWordCount, { input, output, maps, durability, params: { reduceMs } });
}

async function copiesOf(bucket: Bucket, name: string): Promise<string[]> {
  return (await bucket.keys(`${name}/jobs/`)).filter((key) => key.includes('/maps/'));
}

function damaged(text: string): Uint8Array {
  const bytes = Buffer.from(text, 'latin1');
  bytes[bytes.length >> 1]! ^= 1;
  return bytes;
}
