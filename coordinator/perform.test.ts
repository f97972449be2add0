import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { toJobId } from '../lib/ids.ts';
import type { OpenPart } from '../lib/job-spec.ts';
import { createLog } from '../lib/log.ts';
import { createStores } from '../lib/store/resolve.ts';
import { JobWatchers } from './job-watchers.ts';
import { type PerformPorts, perform } from './perform.ts';

const jobId = toJobId('job');

function portsWithWarnings(): { ports: PerformPorts; warned: Promise<string> } {
  const { promise: warned, resolve } = Promise.withResolvers<string>();
  const log = createLog('test', 'silent');
  log.warn = (facts: object) => resolve(JSON.stringify(facts));
  const ports: PerformPorts = {
    log,
    stores: createStores(),
    watchers: new JobWatchers(),
    outputsInUse: new Set(),
    commitsBegun: new Set(),
    sendToWorker: () => undefined,
    dispatch: () => undefined,
    onJobEvent: () => undefined,
    onWorkerLost: () => undefined,
  };
  return { ports, warned };
}

test.each(['nowhere', 'ftp://host/part', 'mem://', 's3://b/part'])(
  'a part that a worker says is at %s is logged, and throws nothing',
  async (uri) => {
    const { ports, warned } = portsWithWarnings();
    perform({ type: 'discard-part', jobId, part: { uri, token: 'token' } }, ports);
    expect(await warned).toContain(uri);
  },
);

test('a part of an attempt that lost is dropped', async () => {
  const { ports } = portsWithWarnings();
  const uri = `mem://${randomUUID()}/part-r-00000`;
  const { store, key } = ports.stores.locate(uri);
  const writer = await store.stage(key, jobId);
  const staged = await writer.seal();
  const part: OpenPart = { uri, token: staged.token };
  perform({ type: 'discard-part', jobId, part }, ports);
  await expect(store.publish(staged)).rejects.toMatchObject({ code: 'not-found' });
});
