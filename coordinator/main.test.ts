import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { systemClock } from '../lib/clock.ts';
import { createLog } from '../lib/log.ts';
import { createStores, memoryStore } from '../lib/store/resolve.ts';
import { type Client, connect } from '../sdk/client.ts';
import { StoreJournal } from './journal.ts';
import { readLeader, writeLeader } from './leader-file.ts';
import { startCoordinator } from './main.ts';

test.each(['listen', 'http'] as const)(
  'a second start on a taken address (--%s) fails before it takes the lead from the first',
  async (setting) => {
    const name = randomUUID();
    const options = { listen: '127.0.0.1:0', http: '127.0.0.1:0', storeUri: `mem://${name}/` };
    await using first = await startCoordinator(options);
    const taken = setting === 'listen' ? first.address : (first.httpAddress ?? '');
    await expect(startCoordinator({ ...options, [setting]: taken })).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining(`${taken} (--${setting})`),
    });
    const entries: string[] = [];
    for await (const { key } of memoryStore(name).list('log/')) entries.push(key);
    expect(entries).toEqual(['log/000000000001']);
  },
);

test('a coordinator that leads no more does not take a job, and says so', async () => {
  const options = { listen: '127.0.0.1:0', storeUri: `mem://${randomUUID()}/` };
  await using deposed = await startCoordinator(options);
  await depose(options.storeUri);
  await using client = connect({ coordinator: deposed.address });
  const submitted = submit(client);
  await expect(submitted).rejects.toMatchObject({
    code: 'unavailable',
    message: expect.stringMatching(/does not lead any more/),
  });
  await expect(deposed.failed).rejects.toMatchObject({ code: 'wrong-state' });
});

test('a second coordinator stands by: it says who leads, is not ready, and leads at once when the first one stops in order', async () => {
  const options = {
    listen: '127.0.0.1:0',
    http: '127.0.0.1:0',
    storeUri: `mem://${randomUUID()}/`,
    leaseMs: 600,
  };
  const first = await startCoordinator(options);
  await using second = await startCoordinator(options);
  expect([first.epoch, second.epoch]).toEqual([1, undefined]);
  await using client = connect({ coordinator: second.address });
  await expect(client.list()).rejects.toMatchObject({
    code: 'unavailable',
    message: expect.stringContaining(`standby; the one that leads is at ${first.address}`),
  });
  expect(await probe(second.httpAddress)).toEqual([503, 'mr_leader 0']);
  expect(await probe(first.httpAddress)).toEqual([200, 'mr_leader 1']);
  await first.close();
  await second.leads;
  expect(second.epoch).toBe(2);
  expect(await client.list()).toEqual([]);
  expect(await probe(second.httpAddress)).toEqual([200, 'mr_leader 1']);
});

test('of two that are started at once on a new store one leads and the other stands by', async () => {
  const options = { listen: '127.0.0.1:0', storeUri: `mem://${randomUUID()}/`, leaseMs: 2_000 };
  const both = await Promise.all([startCoordinator(options), startCoordinator(options)]);
  await using first = both[0];
  await using second = both[1];
  const [leader, standby] = first.epoch === undefined ? [second, first] : [first, second];
  expect([leader.epoch, standby.epoch]).toEqual([1, undefined]);
  await using client = connect({ coordinator: `${standby.address},${leader.address}` });
  expect(await client.list()).toEqual([]);
  await leader.close();
  await standby.leads;
  expect(standby.epoch).toBe(2);
});

test('a leader that finds another one in leader.json stops, although it has nothing to decide', async () => {
  const options = {
    listen: '127.0.0.1:0',
    http: '127.0.0.1:0',
    storeUri: `mem://${randomUUID()}/`,
    leaseMs: 60,
  };
  await using deposed = await startCoordinator(options);
  const location = createStores().locate(options.storeUri);
  const leader = await readLeader(location);
  if (!leader) throw new Error('the leader did not say so');
  const stop = setInterval(() => void writeLeader(location, { ...leader, epoch: 2, grpc: 'other:7450' }), 5);
  await expect(deposed.failed).rejects.toMatchObject({
    code: 'wrong-state',
    exitCode: 1,
    message: expect.stringMatching(
      /another coordinator leads: .*other:7450 \(epoch 2\).*--lease \(MILLRACE_LEASE\)/,
    ),
  });
  clearInterval(stop);
  expect(await probe(deposed.httpAddress)).toEqual([503, 'mr_leader 0']);
});

test('a journal that cannot be read ends the start, naming object and setting, and nothing is written', async () => {
  const name = randomUUID();
  const store = memoryStore(name);
  await store.putIfAbsent('log/000000000001', Buffer.from('{"version":1,"seq":1,"epoch":1,"nonce":"x"}\n'));
  await expect(startCoordinator({ listen: '127.0.0.1:0', storeUri: `mem://${name}/` })).rejects.toMatchObject(
    {
      code: 'wrong-state',
      message: expect.stringMatching(/--store.*log\/000000000001 was written by another version/),
    },
  );
  const keys: string[] = [];
  for await (const { key } of store.list('')) keys.push(key);
  expect(keys).toEqual(['log/000000000001']);
});

function submit(client: Client): Promise<unknown> {
  const job = join(import.meta.dirname, '../test/e2e/jobs/sleepers.ts');
  return client.submit(job, { input: [job], output: `mem://${randomUUID()}/out/` });
}

async function depose(storeUri: string): Promise<void> {
  await StoreJournal.open(createStores().locate(storeUri), {
    clock: systemClock,
    log: createLog('test', 'silent'),
  });
}

/** The status of `/readyz`, and whether it says to lead. */
async function probe(httpAddress: string | undefined): Promise<[number, string | undefined]> {
  const ready = await fetch(`http://${httpAddress}/readyz`);
  const metrics = await (await fetch(`http://${httpAddress}/metrics`)).text();
  return [ready.status, /^mr_leader \d$/m.exec(metrics)?.[0]];
}
