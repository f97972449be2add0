/** A worker that has obeyed a later coordinator than the one it meets, as TROUBLESHOOTING.md says it. */
import { once } from 'node:events';
import { join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { until } from '../until.ts';
import { endAll, startCli } from './cli-process.ts';
import { Cluster } from './cluster.ts';

afterEach(endAll);

test('a coordinator on another store, where epochs begin anew: the worker says why it does not obey, and joins once it is restarted', async () => {
  await using cluster = await Cluster.start({ workers: 1 });
  await cluster.replaceCoordinator();
  await untilObeyed(cluster, 2);

  const { process: leader } = cluster.coordinator;
  const ended = once(leader, 'exit');
  leader.kill('SIGKILL');
  await ended;
  const places = [
    '--listen',
    cluster.address,
    '--http',
    '127.0.0.1:0',
    '--store',
    join(cluster.folder, 'other'),
  ];
  await startCli(['coordinator', ...places, '--json']).firstLine;
  const worker = cluster.workers[0]!;
  await vi.waitFor(
    () =>
      expect(worker.stderr()).toMatch(
        /"details":"this coordinator is of epoch 1, and the worker has obeyed one of epoch 2: another one leads, or [^"]+".*"msg":"the coordinator is out of reach, trying again"/,
      ),
    30_000,
  );
  expect(await cluster.client.workers()).toEqual([]);

  const exited = once(worker.process, 'exit');
  worker.process.kill('SIGKILL');
  await exited;
  await cluster.startWorker(0);
  await untilObeyed(cluster, 1);
});

/** A worker sends heartbeats to whoever has welcomed it; what they say of its memory shows that one came. */
async function untilObeyed(cluster: Cluster, wanted: number): Promise<void> {
  await until(`a worker obeys the coordinator of epoch ${wanted}`, async () => {
    const { epoch, workers } = await cluster.client.cluster();
    return epoch === wanted && workers.some(({ rssBytes }) => rssBytes > 0);
  });
}
