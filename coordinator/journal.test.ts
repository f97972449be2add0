import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ManualClock, systemClock } from '../lib/clock.ts';
import { MillraceError } from '../lib/errors.ts';
import type { JobId } from '../lib/ids.ts';
import { collectBytes } from '../lib/iterables.ts';
import { limits } from '../lib/limits.ts';
import { createLog } from '../lib/log.ts';
import { createStores } from '../lib/store/resolve.ts';
import type { Store, StoreLocation } from '../lib/store/store.ts';
import { fileUri } from '../lib/store/uri.ts';
import { makeSplits } from '../test/core/make.ts';
import type { PersistRecord } from './core/effects.ts';
import { StoreJournal } from './journal.ts';

const record = (at: number, jobId = 'j') =>
  ({ type: 'job-committing', at, jobId }) as unknown as PersistRecord;

const log = createLog('test', 'silent');
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-journal-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const places: [string, () => StoreLocation][] = [
  ['folder', () => createStores().locate(fileUri(`${folder}/`))],
  ['memory', () => createStores().locate(`mem://${randomUUID()}/`)],
];
const open = (place: StoreLocation) => StoreJournal.open(place, { clock: systemClock, log });

/** The entries by name, each as its lines. */
async function entries({
  store,
  key,
}: StoreLocation): Promise<Record<string, { [name: string]: unknown }[]>> {
  const found: [string, { [name: string]: unknown }[]][] = [];
  for await (const object of store.list(`${key}log/`)) {
    const text = (await collectBytes(store.read(object.key))).toString();
    const lines = text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines.pop()).toEqual({ crc32: expect.any(Number) });
    found.push([object.key.slice(key.length), lines]);
  }
  return Object.fromEntries(found);
}

/** The same store, with another `putIfAbsent`. */
function withPut(
  place: StoreLocation,
  putIfAbsent: (key: string, bytes: Uint8Array) => Promise<boolean>,
): StoreLocation {
  const store: Store = Object.assign(Object.create(place.store), { putIfAbsent });
  // Private fields are reached through the object that has them.
  for (const name of ['list', 'read', 'head', 'remove'] as const) {
    Object.assign(store, { [name]: place.store[name].bind(place.store) });
  }
  return { ...place, store };
}

describe.each(places)('the journal in a %s store', (_, makePlace) => {
  test('is a chain of numbered entries: who wrote it, then one record a line', async () => {
    const place = makePlace();
    const journal = await open(place);
    await journal.append([record(1), record(2)]);
    await journal.append([record(3)]);
    const found = await entries(place);
    expect(Object.keys(found)).toEqual(['log/000000000001', 'log/000000000002', 'log/000000000003']);
    expect(found['log/000000000001']).toEqual([expect.objectContaining({ version: 3, seq: 1, epoch: 1 })]);
    expect(found['log/000000000002']).toEqual([
      expect.objectContaining({ seq: 2, epoch: 1, nonce: expect.any(String) }),
      record(1),
      record(2),
    ]);
    expect(found['log/000000000003']?.slice(1)).toEqual([record(3)]);
  });

  test('gives every start an epoch of its own, greater than those before, even when two start at once', async () => {
    const place = makePlace();
    const journals = await Promise.all(Array.from({ length: 5 }, () => open(place)));
    const later = await open(place);
    const epochs = journals.map((journal) => journal.epoch);
    // Who finds another one's entry behind its own begins once more: an epoch may be nobody's.
    expect(new Set(epochs).size).toBe(5);
    expect(later.epoch).toBeGreaterThan(Math.max(...epochs));
  });

  test('belongs to the last who opened it: one that led before cannot append, and says who leads', async () => {
    const place = makePlace();
    const before = await open(place);
    await before.append([record(1)]);
    const leader = await open(place);
    await expect(before.append([record(2)])).rejects.toMatchObject({
      code: 'wrong-state',
      message: expect.stringMatching(
        `another coordinator leads: .*log/000000000003 .*process ${process.pid}.*epoch 2`,
      ),
    });
    await leader.append([record(3)]);
    const records = Object.values(await entries(place)).flatMap((lines) => lines.slice(1));
    expect(records).toEqual([record(1), record(3)]);
  });
});

test('records beyond the size of an entry go on in the next one, whole and in order', async () => {
  const place = createStores().locate(`mem://${randomUUID()}/`);
  const journal = await open(place);
  const third = 'x'.repeat(limits.journalEntryCharsMax / 3);
  const records = [1, 2, 3, 4].map((at) => record(at, third));
  await journal.append([record(0, 'x'.repeat(limits.journalEntryCharsMax * 2)), ...records]);
  const found = Object.values(await entries(place));
  expect(found.map((lines) => lines.slice(1).map((line) => line.at))).toEqual([[], [0], [1, 2], [3, 4]]);
});

test('while the plan of a large job is encoded, into an entry or a snapshot, others run', async () => {
  const place = createStores().locate(`mem://${randomUUID()}/`);
  let turns = 0;
  const turnsAtPut: number[] = [];
  const watched = withPut(place, (key, bytes) => {
    turnsAtPut.push(turns);
    return place.store.putIfAbsent(key, bytes);
  });
  const journal = await StoreJournal.open(watched, { clock: new ManualClock(), log });
  const plan: PersistRecord = {
    type: 'job-planned',
    at: 1,
    jobId: 'j1' as JobId,
    splits: makeSplits(20_000),
  };
  let isOver = false;
  const others = (async () => {
    for (; !isOver; turns++) await new Promise(setImmediate);
  })();
  await journal.append([plan]);
  journal.snapshot([plan]);
  await journal.close();
  isOver = true;
  await others;
  const [, beforeEntry, beforeSnapshot] = turnsAtPut;
  expect(beforeEntry).toBeGreaterThan(5);
  expect(beforeSnapshot! - beforeEntry!).toBeGreaterThan(5);
  expect((await open(place)).takeReplayed()).toEqual([plan]);
});

describe('a put whose answer is lost', () => {
  const lost = () => Promise.reject(new MillraceError('store-failed', 'connection reset'));

  test('is tried again and, when the entry turns out to be there and ours, taken as done', async () => {
    const clock = new ManualClock();
    const place = createStores().locate(`mem://${randomUUID()}/`);
    let puts = 0;
    const flaky = withPut(place, async (key, bytes) => {
      const isNew = await place.store.putIfAbsent(key, bytes);
      puts++;
      queueMicrotask(() => setImmediate(() => clock.advance(1_000)));
      return puts % 2 === 0 ? lost() : isNew;
    });
    const journal = await StoreJournal.open(flaky, { clock, log });
    await journal.append([record(1)]);
    await journal.append([record(2)]);
    expect(puts).toBe(5);
    expect(Object.values(await entries(place)).map((lines) => lines.length)).toEqual([1, 2, 2]);
  });

  test('for a minute ends the lead with what the store said, and not before', async () => {
    const clock = new ManualClock();
    const startMs = clock.now();
    const place = createStores().locate(`mem://${randomUUID()}/`);
    let isDown = false;
    const down = withPut(place, (key, bytes) => {
      setImmediate(() => clock.advance(5_000));
      return isDown ? lost() : place.store.putIfAbsent(key, bytes);
    });
    const journal = await StoreJournal.open(down, { clock, log });
    isDown = true;
    await expect(journal.append([record(1)])).rejects.toThrow('connection reset');
    expect(clock.now() - startMs).toBeGreaterThan(55_000);
  });
});

test('an entry that was there and is gone was removed by who leads since: the lead is lost, by name', async () => {
  const place = createStores().locate(`mem://${randomUUID()}/`);
  let isDeposed = false;
  const journal = await open(
    withPut(place, async (key, bytes) => {
      if (!isDeposed) return place.store.putIfAbsent(key, bytes);
      // Somebody was there before, and a snapshot has covered the place since.
      return false;
    }),
  );
  isDeposed = true;
  const append = journal.append([record(1)]);
  await expect(append).rejects.toThrow(
    /^another coordinator leads: .*log\/000000000002 was there and has been removed/,
  );
});

describe('whether it still leads', () => {
  test('is told by what comes after its last entry, also when a successor has trimmed what was there', async () => {
    const place = createStores().locate(`mem://${randomUUID()}/`);
    const first = await open(place);
    await first.append([record(1)]);
    await expect(first.confirmLead()).resolves.toBeUndefined();
    const second = await open(place);
    const deposed = /^another coordinator leads: .*log\/000000000003 was written by .* \(epoch 2\)/;
    await expect(first.confirmLead()).rejects.toThrow(deposed);
    await second.append([record(2)]);
    second.snapshot([record(1), record(2)]);
    await second.close();
    await expect(first.confirmLead()).rejects.toThrow(deposed);
    await expect(second.confirmLead()).resolves.toBeUndefined();
  });

  test('cannot be answered while what came after its own entries is damaged, and may be asked again', async () => {
    const place = createStores().locate(`mem://${randomUUID()}/`);
    const first = await open(place);
    await open(place);
    const key = `${place.key}log/000000000002`;
    const whole = await collectBytes(place.store.read(key));
    await place.store.put(key, Buffer.from(whole).fill(0, 20, 21));
    await expect(first.confirmLead()).rejects.toMatchObject({
      code: 'store-failed',
      message: expect.stringMatching(
        /^whether another coordinator leads cannot be seen: .*log\/000000000002 is not a whole part/,
      ),
    });
    await place.store.put(key, whole);
    await expect(first.confirmLead()).rejects.toThrow(/^another coordinator leads/);
  });

  test('is not answered by an append of its own that is under way', async () => {
    const place = createStores().locate(`mem://${randomUUID()}/`);
    const answer = Promise.withResolvers<void>();
    const written = Promise.withResolvers<void>();
    let isSlow = false;
    const slow = withPut(place, async (key, bytes) => {
      const isNew = await place.store.putIfAbsent(key, bytes);
      if (!isSlow) return isNew;
      written.resolve();
      await answer.promise;
      return isNew;
    });
    const journal = await open(slow);
    isSlow = true;
    const append = journal.append([record(1)]);
    await written.promise;
    await expect(journal.confirmLead()).resolves.toBeUndefined();
    answer.resolve();
    await append;
  });
});

test('a folder that cannot be made is refused with the path and the setting', async () => {
  writeFileSync(join(folder, 'file'), '');
  const place = createStores().locate(fileUri(`${folder}/file/`));
  await expect(open(place)).rejects.toThrow(/--store.*file\/log/);
});
