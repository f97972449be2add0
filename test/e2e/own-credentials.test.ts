/** Coordinator, worker and client with the rights that a cluster on MinIO gives each of them: what workers keep in the store of the coordinator. */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { beforeAll, beforeEach, expect, test } from 'vitest';
import { accessKeyOf, buckets, type UserName } from '../../minio/policies.ts';
import { setUpCluster } from '../../minio/set-up-cluster.ts';
import { describeWithMinio } from '../minio/describe-with-minio.ts';
import { Bucket } from './bucket.ts';
import { runCli } from './cli-process.ts';
import { Cluster, waitFor } from './cluster.ts';

const jobs = join(import.meta.dirname, 'jobs');
const maps = 4;
const words = Array.from({ length: 400 }, (_, i) => `${'abcdefgh'[i % 8]}${'xyz'[i % 3]}`);

await describeWithMinio('with the credentials of each part', (minio) => {
  const secrets: Record<UserName, string> = {
    coordinator: randomBytes(20).toString('hex'),
    worker: randomBytes(20).toString('hex'),
    client: randomBytes(20).toString('hex'),
    reader: randomBytes(20).toString('hex'),
  };
  const envOf = (user: UserName) => ({
    ...minio().env(),
    AWS_ACCESS_KEY_ID: accessKeyOf(user),
    AWS_SECRET_ACCESS_KEY: secrets[user],
  });
  let store: Bucket;
  let output: Bucket;
  let run: string;

  beforeAll(async () => {
    const { endpoint, credentials } = minio();
    await setUpCluster({ endpoint, ...credentials, secrets, waitMs: 10_000, say: () => undefined });
    store = Bucket.named(buckets.store, minio());
    output = Bucket.named(buckets.output, minio());
    await Bucket.named(buckets.input, minio()).put('words.txt', `${words.join('\n')}\n`);
  });
  beforeEach(() => {
    run = randomBytes(6).toString('hex');
  });

  const startCluster = (): Promise<Cluster> =>
    Cluster.start({
      workers: 1,
      slots: 2,
      heartbeatTimeout: '2s',
      store: `s3://${buckets.store}`,
      env: envOf('coordinator'),
      workerEnv: () => envOf('worker'),
    });
  const places = () => ({ input: `s3://${buckets.input}/words.txt`, output: output.uri(`${run}/`) });

  test('map output is copied and read from its copies; one that is gone is missing at once, and its map runs again', async () => {
    await using cluster = await startCluster();
    const handle = await cluster.client.submit(join(jobs, 'slow-word-count.ts'), {
      ...{ ...places(), maps, durability: 'sync' },
      params: { reduceMs: 400 },
    });
    await waitFor(handle, (view) => view.mapsCopied === maps && view.reduce.done < 2);
    const copies = await store.keys(`jobs/${handle.id}/maps/`);
    const gone = copies.filter((key) => /\/m1\./.test(key));
    expect(gone.length).toBeGreaterThan(1);
    for (const key of gone) await store.clear(key);
    await cluster.loseWorkerWithDisk(0);
    await cluster.startWorker(1);
    expect(await handle.wait()).toMatchObject({ state: 'COMPLETED', map: { reruns: 1, failedAttempts: 0 } });
    expect(cluster.coordinatorLog()).toContain('output of m1 in the store is missing, says r');
    const counted = Object.values(await output.parts(`${run}/`)).join('');
    expect(counted.trim().split('\n').toSorted()).toEqual(countWords());
    expect(await store.keys(`jobs/${handle.id}/maps/`)).toEqual([]);
  });

  test('what a failed reduce had read is kept by its worker, and replayed by a client', async () => {
    await using cluster = await startCluster();
    const options = { ...places(), maps, params: { word: 'ax' } };
    const handle = await cluster.client.submit(join(jobs, 'fails-in-reduce.ts'), options);
    const { state, cause } = await handle.wait();
    expect(state).toBe('FAILED');
    const kept = await store.keys(`jobs/${handle.id}/kept/${cause!.task}/`);
    expect(kept.map((key) => key.split('/').at(-1))).toEqual(['0-000001', 'claim-0.json', 'kept.json']);
    const replay = ['replay', handle.id, cause!.task!, '--store', `s3://${buckets.store}`];
    const replayed = await runCli(replay, { env: envOf('client') });
    expect([replayed.code, replayed.stderr]).toEqual([1, expect.stringContaining('times ax is too often')]);
  });
});

/** As the parts have them. */
function countWords(): string[] {
  const counts = new Map<string, number>();
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  return [...counts].map(([word, count]) => `${word}\t${count}`).sort();
}
