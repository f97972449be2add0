import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { memoryStore } from '../lib/store/resolve.ts';
import { connect } from '../sdk/client.ts';
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
  await using _leader = await startCoordinator(options);
  await using client = connect({ coordinator: deposed.address });
  const job = join(import.meta.dirname, '../test/e2e/jobs/sleepers.ts');
  const output = `mem://${randomUUID()}/out/`;
  const submitted = client.submit(job, { input: [job], output });
  await expect(submitted).rejects.toMatchObject({
    code: 'unavailable',
    message: expect.stringMatching(/does not lead any more/),
  });
});
