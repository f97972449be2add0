import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { ManualClock } from '../lib/clock.ts';
import { type AttemptId, toJobId, toWorkerId } from '../lib/ids.ts';
import type { JobSpec } from '../lib/job-spec.ts';
import { limits } from '../lib/limits.ts';
import { createLog, type Log } from '../lib/log.ts';
import { copiesFolder, encodeIndex, indexUri, jobFolder, pieceUri } from '../lib/map-copy.ts';
import { createStores } from '../lib/store/resolve.ts';
import { makeSegment, makeSpec } from '../test/core/make.ts';
import { findCopies } from './find-copies.ts';
import { CopyRemover } from './remove-copies.ts';

const stores = createStores();
const log = createLog('test', 'silent');
const pieceBytes = 16;

let spec: JobSpec;
let clock: ManualClock;
let remover: CopyRemover;

beforeEach(() => {
  const bundle = { uri: `mem://${randomUUID()}/jobs/j/bundle.mjs`, sha256: '', bytes: 0 };
  spec = makeSpec('j', { bundle, durability: 'sync' });
  clock = new ManualClock();
  remover = new CopyRemover({ clock, log, stores, specOf: () => spec });
});
afterEach(() => remover.close());

async function put(uri: string, bytes: Uint8Array): Promise<void> {
  const { store, key } = stores.locate(uri);
  await store.put(key, bytes);
}

/** Of one segment with three records, 30 bytes: two pieces. */
async function copy(index: number, attempt: number, epoch: number, lastPieceBytes = 14): Promise<AttemptId> {
  const id: AttemptId = { jobId: toJobId('j'), kind: 'map', index, attempt, epoch };
  const sums = { inputRecords: 3, inputBytes: 9, spills: 0, spillBytes: 0 };
  const report = { ...sums, segments: [makeSegment(3)], part: undefined };
  await put(pieceUri(spec, id, 0), Buffer.alloc(pieceBytes));
  await put(pieceUri(spec, id, 1), Buffer.alloc(lastPieceBytes));
  const worker = toWorkerId(`w${attempt}`);
  await put(indexUri(spec, id), encodeIndex({ attempt: id, worker, pieceBytes, report, counters: {} }));
  return id;
}

async function copiesLeft(): Promise<string[]> {
  const { store, key } = stores.locate(copiesFolder(spec));
  const names: string[] = [];
  for await (const object of store.list(key)) names.push(object.key);
  return names;
}

test('of each map the whole copy of the latest attempt is found', async () => {
  await copy(1, 0, 1);
  const latest = await copy(1, 0, 2);
  await copy(1, 3, 1);
  await copy(10, 0, 1);
  const found = await findCopies(stores, log, spec, [0, 1, 2]);
  expect(found.map(({ attempt, worker }) => [attempt, worker])).toEqual([[latest, 'w0']]);
  expect(found[0]!.report).toMatchObject({ copied: true, segments: [makeSegment(3)] });
});

test('copies of all maps are found with one listing', async () => {
  for (let map = 0; map < 20; map++) await copy(map, 0, 1);
  const { store } = stores.locate(copiesFolder(spec));
  const list = vi.spyOn(store, 'list');
  const maps = Array.from({ length: 20 }, (_, map) => map);
  const found = await findCopies(stores, log, spec, maps);
  expect(new Set(found.map(({ attempt }) => attempt.index))).toEqual(new Set(maps));
  expect(list).toHaveBeenCalledTimes(1);
});

test('copies that cannot be listed are none, which is logged', async () => {
  await copy(0, 0, 1);
  const { store } = stores.locate(copiesFolder(spec));
  vi.spyOn(store, 'list').mockImplementation(() => {
    throw new Error('away');
  });
  const warnings: unknown[] = [];
  const loud = { ...log, warn: (about: unknown) => void warnings.push(about) } as Log;
  expect(await findCopies(stores, loud, spec, [0, 1])).toEqual([]);
  expect(warnings).toEqual([{ job: 'j', unreadable: 2, of: 2, error: 'Error: away' }]);
});

test('a copy without all its bytes is not whole: an earlier one may be', async () => {
  const whole = await copy(0, 0, 1);
  await copy(0, 1, 1, 13);
  const cut = await copy(0, 2, 1);
  const { store, key } = stores.locate(pieceUri(spec, cut, 0));
  await store.remove(key);
  const found = await findCopies(stores, log, spec, [0]);
  expect(found.map(({ attempt }) => attempt)).toEqual([whole]);
});

test('a copy whose index is damaged is left out, the others are found, one of an earlier attempt of that map too', async () => {
  const damaged = [await copy(0, 0, 1), await copy(2, 1, 1)];
  for (const id of damaged) await put(indexUri(spec, id), Buffer.from('00000000 {}'));
  const whole = [await copy(1, 0, 1), await copy(2, 0, 1)];
  const warnings: unknown[] = [];
  const loud = { ...log, warn: (about: unknown) => void warnings.push(about) } as Log;
  const found = await findCopies(stores, loud, spec, [0, 1, 2]);
  expect(found.map(({ attempt }) => attempt)).toEqual(whole);
  const error = expect.stringMatching(/maps\/m0\.0\.e1\.json is corrupt/);
  expect(warnings).toEqual([{ job: 'j', unreadable: 2, of: 3, error }]);
});

test('copies go with their job, and what was still being written when it ended goes later', async () => {
  await copy(0, 0, 1);
  await put(`${jobFolder(spec)}spec.json`, Buffer.from('{}'));
  const event = { type: 'job-state', atMs: 0, jobId: spec.jobId, cause: null } as const;
  remover.happened({ ...event, state: 'COMMITTING' });
  expect(await copiesLeft()).toHaveLength(3);
  remover.happened({ ...event, state: 'COMPLETED' });
  await vi.waitFor(async () => expect(await copiesLeft()).toEqual([]));
  await copy(1, 0, 1);
  clock.advance(limits.copiesLingerMs);
  await vi.waitFor(async () => expect(await copiesLeft()).toEqual([]));
  const { store, key } = stores.locate(`${jobFolder(spec)}spec.json`);
  expect(await store.head(key)).toBeDefined();
});

test('of more copies than are listed at once all go', async () => {
  const { store, key } = stores.locate(copiesFolder(spec));
  const names = Array.from({ length: 2 * limits.copiesListedMax + 1 }, (_, i) => `${key}m${i}.0.e1.00000`);
  await Promise.all(names.map((name) => store.put(name, Buffer.alloc(1))));
  remover.ended(spec);
  await vi.waitFor(async () => expect(await copiesLeft()).toEqual([]), 10_000);
});

test('a coordinator that closes removes what it has begun to remove, and begins nothing more', async () => {
  await copy(0, 0, 1);
  remover.ended(spec);
  await remover.close();
  expect(await copiesLeft()).toEqual([]);
  await copy(1, 0, 1);
  clock.advance(limits.copiesLingerMs);
  remover.ended(spec);
  await remover.close();
  expect(await copiesLeft()).toHaveLength(3);
});

test('a job without copies costs no request', async () => {
  await copy(0, 0, 1);
  remover.ended({ ...spec, durability: 'local' });
  remover.ended({ ...spec, reducers: 0 });
  await remover.close();
  expect(await copiesLeft()).toHaveLength(3);
});
