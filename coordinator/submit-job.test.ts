import { createHash, randomUUID } from 'node:crypto';
import { expect, test, vi } from 'vitest';
import { ManualClock } from '../lib/clock.ts';
import { MillraceError } from '../lib/errors.ts';
import type { SubmittedSpec } from '../lib/job-spec.ts';
import { createStores } from '../lib/store/resolve.ts';
import type { Happening } from './loop.ts';
import { submitJob } from './submit-job.ts';

const bundle = Buffer.from('export default 1;');

function submitTo(outputUri: string, base: string, outputsInUse: Set<string>, taken: Happening[]) {
  const spec: SubmittedSpec = {
    name: 'j',
    bundleSha256: createHash('sha256').update(bundle).digest('hex'),
    input: { kind: 'lines' },
    output: { kind: 'tsv', compression: 'none' },
    inputPatterns: [`${base}in`],
    outputUri,
    ifExists: 'replace',
    params: {},
    reducers: 1,
    partition: 'hash',
    splitBytes: undefined,
    maps: undefined,
    priority: 0,
    attemptsMax: 4,
    taskTimeoutMs: 1_000,
  };
  return submitJob(
    { spec, bundle },
    {
      clock: new ManualClock(),
      stores: createStores(),
      storeUri: `${base}store/`,
      outputsInUse,
      allowedUris: { prefixes: undefined, files: true, storeUri: `${base}store/` },
      dispatch: (happening) => taken.push(happening),
    },
  );
}

test('two running jobs never write to one output, however it is spelled', async () => {
  const base = `mem://${randomUUID()}/`;
  const [outputsInUse, taken] = [new Set<string>(), [] as Happening[]];
  await submitTo(`${base}%6Fut/`, base, outputsInUse, taken);
  expect(taken).toMatchObject([{ type: 'job-submitted', spec: { outputUri: `${base}out/` } }]);
  await expect(submitTo(`${base}out/`, base, outputsInUse, taken)).rejects.toMatchObject({
    code: 'output-exists',
  });
  expect(taken).toHaveLength(1);
});

test('of a job whose files cannot all be written none is left, and its output is free again', async () => {
  const base = `mem://${randomUUID()}/`;
  const outputsInUse = new Set<string>();
  const { store } = createStores().locate(base);
  const put = store.putIfAbsent.bind(store);
  vi.spyOn(store, 'putIfAbsent').mockImplementation(async (key, bytes) => {
    if (key.endsWith('spec.json')) throw new MillraceError('unavailable', 'away');
    return put(key, bytes);
  });
  await expect(submitTo(`${base}out/`, base, outputsInUse, [])).rejects.toThrow('away');
  expect(store.putIfAbsent).toHaveBeenCalledTimes(2);
  for await (const { key } of store.list('')) expect.unreachable(key);
  expect(outputsInUse.size).toBe(0);
});
