/** A worker that has obeyed a later coordinator than the one it meets, as TROUBLESHOOTING.md says it. */
import { once } from 'node:events';
import { join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { endAll, startCli } from './cli-process.ts';
import { Cluster } from './cluster.ts';

afterEach(endAll);

test('a coordinator on another store, where epochs begin anew: the worker says why it does not obey, and joins once it is restarted', async () => {
  await using cluster = await Cluster.start({ workers: 1 });
  await cluster.replaceCoordinator();
  await vi.waitFor(async () => expect(await cluster.client.workers()).toHaveLength(1), 20_000);

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
  await vi.waitFor(async () => expect(await cluster.client.workers()).toHaveLength(1), 20_000);
});
