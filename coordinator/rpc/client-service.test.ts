import { expect, test } from 'vitest';
import { systemClock } from '../../lib/clock.ts';
import { toJobId } from '../../lib/ids.ts';
import { limits } from '../../lib/limits.ts';
import { JobLogs } from '../job-logs.ts';
import { JobWatchers } from '../job-watchers.ts';
import { ClientService } from './client-service.ts';

type SubmitCall = Parameters<ClientService['handlers']['Submit']>[0];

test('submissions beyond those that fit in memory are not read before one is through', async () => {
  const service = new ClientService({
    clock: systemClock,
    jobLogs: new JobLogs(() => true),
    watchers: new JobWatchers(),
    submit: async () => toJobId('job'),
    dispatch: () => undefined,
    settled: async () => undefined,
    view: () => undefined,
    list: () => [],
  });
  const clients = Array.from({ length: limits.submissionsAtOnceMax + 2 }, () => {
    const end = Promise.withResolvers<void>();
    const read = Promise.withResolvers<void>();
    const answered = Promise.withResolvers<void>();
    const client = { isRead: false, read: read.promise, answered: answered.promise, end: end.resolve };
    async function* chunks() {
      client.isRead = true;
      read.resolve();
      await end.promise;
      yield { specJson: 'no spec', bundle: Buffer.alloc(0) };
    }
    service.handlers.Submit(chunks() as unknown as SubmitCall, () => answered.resolve());
    return client;
  });
  const [first, ...others] = clients;
  await Promise.all(clients.slice(0, limits.submissionsAtOnceMax).map(({ read }) => read));
  expect(clients.filter(({ isRead }) => isRead)).toHaveLength(limits.submissionsAtOnceMax);
  first!.end();
  await clients.at(-2)!.read;
  expect(clients.at(-1)!.isRead).toBe(false);
  for (const { end } of others) end();
  await Promise.all(clients.map(({ answered }) => answered));
});
