import { randomUUID } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { expect, test } from 'vitest';
import { toJobId } from '../lib/ids.ts';
import { type KeptInputs, keptFolder, keptName, keptObjectName } from '../lib/kept-inputs.ts';
import { limits } from '../lib/limits.ts';
import { createStores } from '../lib/store/resolve.ts';
import { makeSpec } from '../test/core/make.ts';
import { chooseAttempt, JobFolder, type PastAttempt } from './job-folder.ts';

const bytes = Buffer.from('a run file');
const kept: KeptInputs = {
  ...{ version: 1, attempt: 0, claim: 0, maps: 1, objects: 1 },
  bytes: bytes.length,
  crc32: crc32(bytes),
};

/** A job whose reduce r0 was kept; `said` is its `kept.json`. */
async function keptJob(said: unknown, object = bytes) {
  const stores = createStores();
  const storeUri = `mem://${randomUUID()}/`;
  const bundle = { uri: `${storeUri}jobs/j/bundle.mjs`, sha256: '', bytes: 0 };
  const spec = makeSpec('j', { bundle });
  const { store, key } = stores.locate(keptFolder(spec, 0));
  await store.put(`${key}${keptName}`, Buffer.from(JSON.stringify(said)));
  await store.put(`${key}${keptObjectName(kept, 1)}`, object);
  return { spec, folder: new JobFolder(stores, storeUri, toJobId('j')) };
}

test.each([
  ['of another version', { ...kept, version: 2 }],
  ['without a number of objects', { ...kept, objects: undefined }],
  ['with more objects than anybody keeps', { ...kept, objects: 1_000 }],
  ['of a claim that nobody may have', { ...kept, claim: limits.keptClaimsMax }],
  ['with an attempt that is none', { ...kept, attempt: 'm' }],
])('a kept.json %s is refused by its name', async (_, said) => {
  const { folder, spec } = await keptJob(said);
  await expect(folder.keptInputs(spec, 0)).rejects.toMatchObject({
    code: 'corrupt',
    message: expect.stringMatching(/jobs\/j\/kept\/r0\/kept\.json does not say what was kept/),
  });
});

test('what was kept comes back whole; of a larger object no more is read than anybody keeps, and it is refused', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-kept-'));
  const path = join(directory, 'kept.run');
  try {
    const right = await keptJob(kept);
    await right.folder.fetchKept(right.spec, 0, await right.folder.keptInputs(right.spec, 0), path);
    expect(readFileSync(path)).toEqual(bytes);
    const grown = await keptJob(kept, Buffer.alloc(limits.keptObjectBytes + 1));
    await expect(grown.folder.fetchKept(grown.spec, 0, kept, path)).rejects.toMatchObject({
      code: 'corrupt',
    });
    expect(readFileSync(path)).toHaveLength(limits.keptObjectBytes);
  } finally {
    rmSync(directory, { recursive: true });
  }
});

const failure = { kind: 'internal', message: 'oops' } as const;
const past: readonly PastAttempt[] = [
  { attempt: 1, worker: 'w1', outcome: 'failed', failure },
  { attempt: 2, worker: 'w2', outcome: 'cancelled', failure: null },
];
const nothing = { task: 'r0', attempt: undefined, kept: undefined };

test('of the past attempts the one is chosen that was asked for, else whose input was kept, else the last that failed, else the first', () => {
  expect(chooseAttempt(past, { ...nothing, attempt: 2, kept: 1 })?.attempt).toBe(2);
  expect(chooseAttempt(past, { ...nothing, kept: 2 })?.attempt).toBe(2);
  expect(chooseAttempt(past, nothing)?.attempt).toBe(1);
  expect(chooseAttempt(past.slice(1), nothing)?.attempt).toBe(2);
});

test('an attempt whose events are lost is no mistake of the user; one that was asked for and is not there is', () => {
  expect(chooseAttempt(past, { ...nothing, kept: 0 })).toBeUndefined();
  expect(chooseAttempt([], { ...nothing, attempt: 0 })).toBeUndefined();
  expect(() => chooseAttempt(past, { ...nothing, attempt: 0 })).toThrow(
    'r0 has no ended attempt 0 (--attempt); there are 1 (failed), 2 (cancelled)',
  );
});
