import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { ManualClock } from '../lib/clock.ts';
import { toWorkerId } from '../lib/ids.ts';
import { createLog } from '../lib/log.ts';
import { memoryStore } from '../lib/store/resolve.ts';
import type { StoreLocation } from '../lib/store/store.ts';
import type { PersistRecord } from './core/effects.ts';
import { takeLead } from './take-lead.ts';

const ports = { clock: new ManualClock(), log: createLog('test', 'silent') };

/** A memory store that passes for a bucket. */
function bucket(): StoreLocation {
  return { store: memoryStore(randomUUID()), key: 'cluster/', uri: 's3://jobs/cluster/' };
}

async function keysOf({ store }: StoreLocation): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of store.list('')) keys.push(key);
  return keys;
}

test('leads on a store that keeps what was created first, and leaves nothing of the probe', async () => {
  const location = bucket();
  expect((await takeLead(location, ports, () => true))?.epoch).toBe(1);
  expect(await keysOf(location)).toEqual(['cluster/log/000000000001']);
});

test('refuses a store that ignores conditional writes: what is wrong, where, what to do, and the exit code of a store', async () => {
  const location = bucket();
  const { store } = location;
  const create = store.putIfAbsent.bind(store);
  Object.assign(store, {
    async putIfAbsent(key: string, bytes: Uint8Array) {
      await store.remove(key);
      return create(key, bytes);
    },
  });
  await expect(takeLead(location, ports, () => true)).rejects.toMatchObject({
    code: 'store-failed',
    exitCode: 3,
    message: expect.stringMatching(
      /cannot lead on s3:\/\/jobs\/cluster\/: .*ignores conditional writes.*MinIO.*--store/s,
    ),
  });
  expect((await keysOf(location)).filter((key) => key.includes('log/'))).toEqual([]);
});

test('a leader on a store that begins to ignore conditions stops before it acts on what it decides next', async () => {
  const location = bucket();
  const { store } = location;
  const clock = new ManualClock();
  const create = store.putIfAbsent.bind(store);
  const journal = await takeLead(location, { ...ports, clock, leaseMs: 9_000 }, () => true);
  const record: PersistRecord = { type: 'worker-gone', at: 0, workerId: toWorkerId('w') };
  await journal!.append([record]);
  Object.assign(store, {
    async putIfAbsent(key: string, bytes: Uint8Array) {
      await store.remove(key);
      return create(key, bytes);
    },
  });
  // Its last look is good for a while: as long as nobody can have followed it.
  await journal!.append([record]);
  clock.advance(3_000);
  await expect(journal!.append([record])).rejects.toMatchObject({
    code: 'wrong-state',
    message: expect.stringMatching(
      /cannot lead on s3:\/\/jobs\/cluster\/ any more .*--store.*ignores conditional writes/s,
    ),
  });
  expect((await keysOf(location)).filter((key) => key.includes('log/'))).toHaveLength(3);
});
