import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { toJobId } from '../../lib/ids.ts';
import { collectBytes } from '../../lib/iterables.ts';
import type { JobSpec } from '../../lib/job-spec.ts';
import { limits } from '../../lib/limits.ts';
import { createStores } from '../../lib/store/resolve.ts';
import { fileUri } from '../../lib/store/uri.ts';
import { RunReader } from '../shuffle/run-file.ts';
import type { SegmentSource } from '../shuffle/segment-reader.ts';
import { keepInputs } from './keep-inputs.ts';

const jobId = toJobId('job');
const stores = createStores();
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-keep-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const countsOf = (bytes: Buffer) => ({ records: 1, bytes: bytes.length, crc32: crc32(bytes) });

function inMemory(bytes: Buffer): SegmentSource {
  return { kind: 'memory', name: 'm', counts: countsOf(bytes), bytes };
}

function keep(
  sources: readonly SegmentSource[],
  attempt = 0,
  signal = new AbortController().signal,
  index = 3,
) {
  const spec = { jobId, bundle: { uri: fileUri(`${folder}/jobs/job/bundle-00.mjs`) } } as JobSpec;
  return keepInputs({
    spec,
    attempt: { jobId, kind: 'reduce', index, attempt, epoch: 1 },
    sources,
    stores,
    signal,
  });
}

async function names(): Promise<string[]> {
  const { store, key } = stores.locate(fileUri(`${folder}/jobs/job/kept/r3/`));
  const found: string[] = [];
  for await (const object of store.list(key)) found.push(object.key.slice(key.length));
  return found;
}

test('segments from memory and from files come back as a run file, cut into objects', async () => {
  const large = Buffer.alloc(limits.keptObjectBytes + 5, 'ab');
  const path = join(folder, 'fetched');
  writeFileSync(path, Buffer.concat([Buffer.from('before'), large, Buffer.from('after')]));
  const file = { kind: 'file', name: 'm1', counts: countsOf(large), path, offset: 6 } as const;
  const small = Buffer.from('small');
  const kept = await keep([inMemory(small), file, inMemory(Buffer.alloc(0))]);
  expect(kept).toMatchObject({ attempt: 0, maps: 3, objects: 2, bytes: small.length + large.length });
  expect(await names()).toEqual(['0-000001', '0-000002', 'claim-0.json', 'kept.json']);
  const { store, key } = stores.locate(fileUri(`${folder}/jobs/job/kept/r3/`));
  const objects = [
    await collectBytes(store.read(`${key}0-000001`)),
    await collectBytes(store.read(`${key}0-000002`)),
  ];
  const whole = Buffer.concat(objects);
  expect(crc32(whole)).toBe(kept!.crc32);
  writeFileSync(path, whole);
  using run = new RunReader(path);
  const { offset, ...counts } = run.segment(1);
  expect(counts).toEqual(countsOf(large));
  expect(whole.subarray(offset, offset + counts.bytes).equals(large)).toBe(true);
  expect(run.segment(2).bytes).toBe(0);
});

test('only the first attempt of a task that comes keeps anything', async () => {
  await keep([inMemory(Buffer.from('first'))], 1);
  expect(await keep([inMemory(Buffer.from('second'))], 2)).toBeUndefined();
  const { store, key } = stores.locate(fileUri(`${folder}/jobs/job/kept/r3/0-000001`));
  expect((await collectBytes(store.read(key))).toString()).toContain('first');
});

test('an attempt that dies while it keeps is no hindrance to the next ones, so many as may claim, and takes no second place', async () => {
  const { signal } = new AbortController();
  const died = AbortSignal.abort(new Error('died'));
  await expect(keep([inMemory(Buffer.from('first'))], 0, died)).rejects.toThrow('died');
  expect(await keep([inMemory(Buffer.from('second'))], 1, signal)).toMatchObject({ attempt: 1, claim: 1 });
  expect(await names()).toEqual(['1-000001', 'claim-0.json', 'claim-1.json', 'kept.json']);
  expect(await keep([inMemory(Buffer.from('third'))], 2, signal)).toBeUndefined();
  const { store, key } = stores.locate(fileUri(`${folder}/jobs/job/kept/`));
  const places: string[] = [];
  for await (const object of store.list(`${key}place-`)) places.push(object.key.slice(key.length));
  expect(places).toEqual(['place-3']);
});

test('a task whose claims are all taken keeps nothing more', async () => {
  const died = AbortSignal.abort(new Error('died'));
  for (let attempt = 0; attempt < limits.keptClaimsMax; attempt++) {
    await expect(keep([inMemory(Buffer.from('x'))], attempt, died)).rejects.toThrow('died');
  }
  expect(await keep([inMemory(Buffer.from('x'))], 9)).toBeUndefined();
});

test('of more than the limit only the number is kept', async () => {
  const counts = { records: 1, bytes: limits.keptInputBytesMax + 1, crc32: 0 };
  const source = { kind: 'file', name: 'm0', counts, path: '/nowhere', offset: 0 } as const;
  expect(await keep([source])).toMatchObject({ objects: 0, omitted: 'too-large', bytes: counts.bytes });
  expect(await names()).toEqual(['claim-0.json', 'kept.json']);
});

test('an attempt that is cancelled meanwhile keeps nothing that counts', async () => {
  const reason = new Error('the job has ended');
  await expect(keep([inMemory(Buffer.from('x'))], 0, AbortSignal.abort(reason))).rejects.toBe(reason);
  expect(await names()).toEqual(['claim-0.json']);
});

test('so many reduces of a job are kept, whichever they are; of the others it is said that they are not', async () => {
  const { signal } = new AbortController();
  const one = [inMemory(Buffer.from('x'))];
  const indices = Array.from(
    { length: limits.keptReducesMax + 2 },
    (_, at) => at * limits.keptReducesMax + 5,
  );
  const kept = await Promise.all(indices.map((index) => keep(one, 0, signal, index)));
  expect(kept.filter((each) => each!.objects === 1)).toHaveLength(limits.keptReducesMax);
  expect(kept.filter((each) => each!.objects === 0).map((each) => each!.omitted)).toEqual([
    'too-many',
    'too-many',
  ]);
});

test('what is too large takes no place from others', async () => {
  const counts = { records: 1, bytes: limits.keptInputBytesMax + 1, crc32: 0 };
  const { signal } = new AbortController();
  for (let index = 0; index < limits.keptReducesMax; index++) {
    await keep([{ kind: 'file', name: 'm0', counts, path: '/nowhere', offset: 0 }], 0, signal, index);
  }
  expect(await keep([inMemory(Buffer.from('x'))], 0, signal, 99)).toMatchObject({ objects: 1 });
});
