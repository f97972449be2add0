/** Coordinators, really killed, with jobs under way: the same bytes, and no task that finished, or could go on, is run again. */
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { JobView } from '../../lib/job-view.ts';
import type { JobHandle } from '../../sdk/handle.ts';
import { FaultProxy } from '../faults/fault-proxy.ts';
import { describeWithMinio } from '../minio/describe-with-minio.ts';
import { Bucket } from './bucket.ts';
import { endAll, startCli } from './cli-process.ts';
import { Cluster, readParts, waitFor } from './cluster.ts';

const slowWordCount = join(import.meta.dirname, 'jobs/slow-word-count.ts');
const maps = 12;
const reducers = 6;
/** Long enough for workers to come back to a new coordinator, short enough to wait for those that do not. */
const patience = { heartbeatTimeout: '5s', lease: '1s' };

let folder: string;
let text: string;
let expected: Record<string, string>;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-restart-'));
  const words = ['river', 'mill', 'wheel', 'race', 'stone', 'grain', 'flour', 'sack', 'Mill', 'weir'];
  const lines = Array.from({ length: 2_400 }, (_, i) => `${words[i % 10]} ${words[(i * 7) % 9]} x`);
  text = `${lines.join('\n')}\n`;
  writeFileSync(join(folder, 'text.txt'), text);
  await using cluster = await Cluster.start({ workers: 1, slots: 2 });
  const output = join(folder, 'undisturbed');
  const shape = { input: [join(folder, 'text.txt')], output, maps, reducers };
  await (await cluster.client.submit(slowWordCount, shape)).wait();
  expected = readParts(output);
  expect(Object.values(expected).join('')).toContain('x\t2400');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));
afterEach(endAll);

/** Where each attempt leaves a note. */
let notes: string;
beforeEach(() => {
  notes = mkdtempSync(join(folder, 'notes-'));
});

/** The tasks of each kind that were begun more than once. */
function begunAgain(kind: 'm' | 'r'): string[] {
  const tasks = readdirSync(notes).map((note) => note.split('.')[0]!);
  return tasks.filter((task, at) => task.startsWith(kind) && tasks.indexOf(task) !== at);
}

function expectOneAttemptEach(): void {
  expect(readdirSync(notes)).toHaveLength(maps + reducers);
  expect([...begunAgain('m'), ...begunAgain('r')]).toEqual([]);
}

/** A job on input and output below `place`: a folder, or a bucket. */
async function submitTo(
  cluster: Cluster,
  place: (name: string) => string,
  params: object,
): Promise<JobHandle> {
  return await cluster.client.submit(slowWordCount, {
    input: [place('text.txt')],
    output: place('out'),
    maps,
    reducers,
    params: { ...params, notes },
  });
}

const isMapping = ({ map }: JobView) => map.done >= 4 && map.running >= 1;
const isReducing = ({ map, reduce }: JobView) => map.done === maps && reduce.done >= 1 && reduce.running >= 1;

describe('on a folder', () => {
  let home: string;
  const place = (name: string) => join(home, name);
  beforeEach(() => {
    home = mkdtempSync(join(folder, 'home-'));
    mkdirSync(home, { recursive: true });
    writeFileSync(place('text.txt'), text);
  });

  test('the coordinator is killed while maps run: what they made, and what runs, is adopted', async () => {
    await using cluster = await Cluster.start({ workers: 2, ...patience });
    const handle = await submitTo(cluster, place, { mapMs: 400 });
    await waitFor(handle, isMapping);
    await cluster.replaceCoordinator();
    const view = await handle.wait();
    expect(view).toMatchObject({ state: 'COMPLETED', map: { reruns: 0, failedAttempts: 0 } });
    expect(readParts(place('out'))).toEqual(expected);
    expectOneAttemptEach();
  });

  test('it is killed while reduces run: neither they nor any map run again', async () => {
    await using cluster = await Cluster.start({ workers: 2, slots: 2, ...patience });
    const handle = await submitTo(cluster, place, { reduceMs: 500 });
    await waitFor(handle, isReducing);
    await cluster.replaceCoordinator();
    const view = await handle.wait();
    expect(view).toMatchObject({ state: 'COMPLETED', map: { reruns: 0 }, reduce: { reruns: 0 } });
    expect(readParts(place('out'))).toEqual(expected);
    expectOneAttemptEach();
  });

  test('it is killed again and again: the job ends all the same', async () => {
    await using cluster = await Cluster.start({ workers: 2, ...patience });
    const handle = await submitTo(cluster, place, { mapMs: 300, reduceMs: 100 });
    for (const done of [2, 6, 10]) {
      await waitFor(handle, ({ map }) => map.done >= done);
      await cluster.replaceCoordinator();
    }
    expect(await handle.wait()).toMatchObject({ state: 'COMPLETED' });
    expect(readParts(place('out'))).toEqual(expected);
    expectOneAttemptEach();
  });

  test('the whole cluster is killed: finished maps are read again from the disks of their workers', async () => {
    await using cluster = await Cluster.start({ workers: 2, ...patience });
    const handle = await submitTo(cluster, place, { mapMs: 400 });
    await waitFor(handle, ({ map }) => map.done >= 6);
    const running = (await handle.status()).map.running;
    await cluster.replaceAll();
    expect(await handle.wait()).toMatchObject({ state: 'COMPLETED', map: { failedAttempts: 0 } });
    expect(readParts(place('out'))).toEqual(expected);
    // One more of each worker may have begun before the kill.
    expect(begunAgain('m').length).toBeLessThanOrEqual(running + 2);
  });

  test('a worker dies with the coordinator: only what it had runs again', async () => {
    await using cluster = await Cluster.start({ workers: 2, ...patience });
    const handle = await submitTo(cluster, place, { mapMs: 400 });
    await waitFor(handle, isMapping);
    cluster.workers[0]!.process.kill('SIGKILL');
    await cluster.replaceCoordinator();
    expect(await handle.wait()).toMatchObject({ state: 'COMPLETED' });
    expect(readParts(place('out'))).toEqual(expected);
  });

  test('millrace submit stays with its job, and a job that has ended is known to the next coordinator', async () => {
    await using cluster = await Cluster.start({ workers: 2, ...patience });
    const flags = [
      '-i',
      place('text.txt'),
      '-o',
      place('out'),
      '-r',
      String(reducers),
      '--maps',
      String(maps),
    ];
    const params = ['--param', 'mapMs=300', '--param', `notes=${notes}`];
    const at = ['--coordinator', cluster.address];
    const { firstLine, ended } = startCli(['submit', slowWordCount, ...flags, ...params, ...at, '--json']);
    const { jobId } = JSON.parse(await firstLine);
    const handle = cluster.client.get(jobId);
    await waitFor(handle, isMapping);
    await cluster.replaceCoordinator();
    const { code, stdout } = await ended;
    expect(code).toBe(0);
    expect(JSON.parse(stdout.trimEnd().split('\n').at(-1)!)).toMatchObject({ jobId, state: 'COMPLETED' });
    expect(readParts(place('out'))).toEqual(expected);
    await cluster.replaceCoordinator();
    expect(await handle.wait()).toMatchObject({
      state: 'COMPLETED',
      counters: {},
      outputUri: expect.anything(),
    });
  });
});

await describeWithMinio('on MinIO', (minio) => {
  let bucket: Bucket;
  let proxy: FaultProxy;
  let cluster: Cluster;
  beforeEach(async () => {
    bucket = await Bucket.make(minio());
    await bucket.put('text.txt', text);
    proxy = await FaultProxy.start(minio().endpoint);
    const env = minio().env(proxy.endpoint);
    cluster = await Cluster.start({ workers: 2, slots: 2, store: bucket.uri('cluster'), env, ...patience });
  });
  afterEach(async () => {
    await cluster?.[Symbol.asyncDispose]();
    await proxy?.[Symbol.asyncDispose]();
  });
  const submit = (params: object) => submitTo(cluster, (name) => bucket.uri(name), params);

  async function expectWhole(): Promise<void> {
    expect(await bucket.parts('out/')).toEqual(expected);
    const keys = await bucket.keys('out/');
    expect(keys).toContain('out/_SUCCESS');
    expect(await bucket.pending(keys)).toEqual([]);
    expectOneAttemptEach();
  }

  test('the coordinator is killed while maps run', async () => {
    const handle = await submit({ mapMs: 400 });
    await waitFor(handle, isMapping);
    await cluster.replaceCoordinator();
    expect(await handle.wait()).toMatchObject({ state: 'COMPLETED', map: { reruns: 0 } });
    await expectWhole();
  });

  test('it is killed between two parts that it publishes: the next one publishes the rest, and the same', async () => {
    const killed = Promise.withResolvers<void>();
    const run = async () => {
      cluster.coordinator.process.kill('SIGKILL');
      killed.resolve();
    };
    proxy.fail('CompleteMultipartUpload', { kind: 'first', run }, { skip: 2 });
    const handle = await submit({});
    await killed.promise;
    expect(await bucket.keys('out/')).not.toContain('out/_SUCCESS');
    await cluster.replaceCoordinator();
    expect(await handle.wait()).toMatchObject({ state: 'COMPLETED', cause: null });
    await expectWhole();
  });
});
