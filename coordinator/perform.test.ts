import { randomUUID } from 'node:crypto';
import { expect, test, vi } from 'vitest';
import { MillraceError } from '../lib/errors.ts';
import { toJobId } from '../lib/ids.ts';
import { collectBytes } from '../lib/iterables.ts';
import type { OpenPart } from '../lib/job-spec.ts';
import { createLog } from '../lib/log.ts';
import { createStores } from '../lib/store/resolve.ts';
import { makeSpec } from '../test/core/make.ts';
import { JobWatchers } from './job-watchers.ts';
import type { Happening } from './loop.ts';
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
    confirmLead: async () => undefined,
    sendToWorker: () => undefined,
    dispatch: () => undefined,
    onJobEvent: () => undefined,
    onWorkerLost: () => undefined,
  };
  return { ports, warned };
}

test.each(['nowhere', 'ftp://host/part', 'mem://', 's3://b/part', 'mem://other/part-r-00000', 'mem://out/x'])(
  'a part that a worker says is at %s, not below the output of its job, is logged, and nothing is touched',
  async (uri) => {
    const { ports, warned } = portsWithWarnings();
    const spec = makeSpec(jobId, { outputUri: 'mem://out/' });
    perform({ type: 'discard-part', spec, part: { uri, token: 'token' } }, ports);
    expect(await warned).toContain('is not a part of the output mem://out/');
  },
);

test('a part of an attempt that lost is dropped', async () => {
  const { ports } = portsWithWarnings();
  const outputUri = `mem://${randomUUID()}/`;
  const uri = `${outputUri}part-r-00000`;
  const { store, key } = ports.stores.locate(uri);
  const writer = await store.stage(key, jobId);
  const staged = await writer.seal();
  const part: OpenPart = { uri, token: staged.token };
  perform({ type: 'discard-part', spec: makeSpec(jobId, { outputUri }), part }, ports);
  await expect(store.publish(staged)).rejects.toMatchObject({ code: 'not-found' });
});

test('what the maps of a job made is kept beside its bundle, and a store that refuses it is only said', async () => {
  const { ports, warned } = portsWithWarnings();
  const folder = `mem://${randomUUID()}/jobs/job/`;
  const spec = makeSpec(jobId, { bundle: { uri: `${folder}bundle.mjs`, sha256: '', bytes: 0 } });
  const counts = { records: 1, bytes: 10, crc32: 7 };
  const outputs = [{ task: 'm0', ...counts, partitions: [7], attempt: 0, epoch: 1, worker: 'w1' }];
  perform({ type: 'keep-map-outputs', spec, outputs }, ports);
  const { store, key } = ports.stores.locate(`${folder}map-outputs.jsonl`);
  await vi.waitUntil(() => store.head(key));
  expect((await collectBytes(store.read(key))).toString()).toBe(`${JSON.stringify(outputs[0])}\n`);
  vi.spyOn(store, 'put').mockRejectedValue(new MillraceError('store-failed', 'away'));
  perform({ type: 'keep-map-outputs', spec, outputs }, ports);
  expect(await warned).toContain('away');
});

test('a commit that was cut off is tried again over what it published itself', async () => {
  const { ports } = portsWithWarnings();
  const spec = makeSpec(jobId, { outputUri: `mem://${randomUUID()}/out/`, reducers: 2 });
  const parts = await Promise.all(
    ['a', 'b'].map(async (text, index) => {
      const uri = `${spec.outputUri}part-r-0000${index}`;
      const { store, key } = ports.stores.locate(uri);
      const writer = await store.stage(key, jobId);
      await writer.write(Buffer.from(text));
      const { token, bytes } = await writer.seal();
      return { uri, token, bytes, records: 1, crc32: 0, columns: [] };
    }),
  );
  const success = {
    inputRecords: 0,
    inputBytes: 0,
    intermediateRecords: 0,
    intermediateBytes: 0,
    counters: {},
  };
  const publish = () => {
    const { promise, resolve } = Promise.withResolvers<Happening>();
    const effect = { type: 'publish-output', spec, parts, success, discards: [], unsure: [] } as const;
    perform(effect, { ...ports, dispatch: resolve });
    return promise;
  };
  const { store } = ports.stores.locate(spec.outputUri);
  vi.spyOn(store, 'putIfAbsent').mockRejectedValueOnce(new MillraceError('unavailable', 'away'));
  expect(await publish()).toMatchObject({
    type: 'publish-failed',
    error: { message: 'away', retryable: true },
  });
  vi.spyOn(store, 'publish').mockRejectedValueOnce(new MillraceError('corrupt', 'cut off'));
  expect(await publish()).toMatchObject({ type: 'publish-failed', error: { retryable: false } });
  expect(await store.head('out/part-r-00001')).toBeDefined();
  expect(await publish()).toEqual({ type: 'output-published', jobId });
});
