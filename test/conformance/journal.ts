/** The journal on every kind of store: what is replayed, what snapshots leave, who can append. It knows nothing of the stores. */
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { PersistRecord } from '../../coordinator/core/effects.ts';
import { StoreJournal } from '../../coordinator/journal.ts';
import { systemClock } from '../../lib/clock.ts';
import { toWorkerId } from '../../lib/ids.ts';
import { collectBytes } from '../../lib/iterables.ts';
import { createLog } from '../../lib/log.ts';
import type { StoreLocation } from '../../lib/store/store.ts';

export interface JournalPlace {
  /** Empty, for each test. */
  readonly location: StoreLocation;
  cleanup(): Promise<void>;
}

export const ports = { clock: systemClock, log: createLog('test', 'silent') };
export const record = (at: number): PersistRecord => ({
  type: 'worker-joined',
  at,
  workerId: toWorkerId('w'),
});

export async function keysOf({ store, key }: StoreLocation, folder = ''): Promise<string[]> {
  const keys: string[] = [];
  for await (const object of store.list(`${key}${folder}`)) keys.push(object.key.slice(key.length));
  return keys;
}

/** What a coordinator that starts now is told. It leads afterwards. */
async function replay(location: StoreLocation): Promise<number[]> {
  return (await StoreJournal.open(location, ports)).takeReplayed().map(({ at }) => at);
}

export function journalConformance(name: string, make: () => Promise<JournalPlace>, runs: number): void {
  describe(`the journal in ${name}`, () => {
    let place: JournalPlace;
    let location: StoreLocation;
    const open = () => StoreJournal.open(location, ports);

    beforeEach(async () => {
      place = await make();
      location = place.location;
    });
    afterEach(() => place.cleanup());

    test('replays what all before it appended, in order, once', async () => {
      const first = await open();
      expect(first.takeReplayed()).toEqual([]);
      await first.append([record(1), record(2)]);
      const second = await open();
      await second.append([record(3)]);
      const third = await open();
      expect(third.takeReplayed()).toEqual([record(1), record(2), record(3)]);
      expect(third.takeReplayed()).toEqual([]);
    });

    test('replays a snapshot instead of what it replaces, and then what followed', async () => {
      const first = await open();
      await first.append([record(1)]);
      await first.append([record(2)]);
      first.snapshot([record(20)]);
      await first.append([record(3)]);
      await first.close();
      expect(await keysOf(location)).toEqual([
        'log/000000000001',
        'log/000000000004',
        'snapshots/000000000003',
      ]);
      expect(await replay(location)).toEqual([20, 3]);
    });

    test('a new snapshot removes the one before and the entries since, but never the first entry of an epoch', async () => {
      for (let epoch = 1; epoch <= 3; epoch++) {
        const journal = await open();
        expect(journal.epoch).toBe(epoch);
        await journal.append([record(epoch)]);
        journal.snapshot([record(10 * epoch)]);
        await journal.close();
      }
      expect(await keysOf(location)).toEqual([
        'log/000000000001',
        'log/000000000003',
        'log/000000000005',
        'snapshots/000000000006',
      ]);
      expect(await replay(location)).toEqual([30]);
    });

    test('a deposed coordinator cannot append, however much its successors have removed since', async () => {
      const deposed = await open();
      await deposed.append([record(1)]);
      const leader = await open();
      for (let at = 2; at < 12; at++) await leader.append([record(at)]);
      leader.snapshot([record(100)]);
      await leader.close();
      await expect(deposed.append([record(99)])).rejects.toMatchObject({ code: 'wrong-state' });
      expect(await replay(location)).toEqual([100]);
    });

    test('of several that start at once each has its epoch, and only the last can append', async () => {
      const journals = await Promise.all(Array.from({ length: 4 }, open));
      const ends = await Promise.allSettled(
        journals.map((journal) => journal.append([record(journal.epoch)])),
      );
      // A start that finds another's entry behind its own begins again, so an epoch may be nobody's.
      const epochs = journals.map(({ epoch }) => epoch);
      expect(new Set(epochs).size).toBe(journals.length);
      const winners = journals.filter((_, i) => ends[i]?.status === 'fulfilled');
      const last = Math.max(...epochs);
      expect(winners.map(({ epoch }) => epoch)).toEqual([last]);
      expect(await replay(location)).toEqual([last]);
    });

    test('who looked before the chain went on does not lead through a place that a snapshot has emptied', async () => {
      const leader = await open();
      await leader.append([record(1)]);
      // It reads the chain, is paused, and puts its entry when the leader has long filled that place and removed it again.
      const paused = await StoreJournal.openIf(
        afterList(location, async () => {
          for (let at = 2; at < 6; at++) await leader.append([record(at)]);
          leader.snapshot([record(50)]);
          await leader.close();
        }),
        ports,
        () => true,
      );
      expect(paused).toBeUndefined();
      await leader.append([record(6)]);
      expect(await replay(location)).toEqual([50, 6]);
    });

    test('cut off anywhere between snapshot and removal, replay tells the same', async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(fc.nat(4), { maxLength: 12 }), fc.nat(30), async (steps, cutAfter) => {
          const fresh = await make();
          try {
            const wanted = await liveAndDie(fresh.location, steps, cutAfter);
            expect(await replay(fresh.location)).toEqual(wanted);
            expect(await replay(fresh.location)).toEqual(wanted);
          } finally {
            await fresh.cleanup();
          }
        }),
        { numRuns: runs },
      );
    });

    test('an entry or a snapshot of another journal is refused, although it is whole and fits by its number', async () => {
      const other = await make();
      try {
        for (const place of [location, other.location]) {
          const journal = await StoreJournal.open(place, ports);
          await journal.append([record(1)]);
          await journal.append([record(2)]);
          if (place === location) journal.snapshot([record(1), record(2)]);
          else journal.snapshot([record(7), record(8)]);
          await journal.append([record(3)]);
          await journal.close();
        }
        for (const name of ['log/000000000004', 'snapshots/000000000003']) {
          const own = await collectBytes(location.store.read(location.key + name));
          await location.store.put(
            location.key + name,
            await collectBytes(other.location.store.read(other.location.key + name)),
          );
          await expect(open()).rejects.toMatchObject({
            code: 'corrupt',
            message: expect.stringContaining('another journal'),
          });
          await location.store.put(location.key + name, own);
        }
        expect(await replay(location)).toEqual([1, 2, 3]);
      } finally {
        await other.cleanup();
      }
    });

    test.each([
      ['an entry', 'log/000000000002'],
      ['a snapshot', 'snapshots/000000000003'],
    ])(
      '%s with any byte changed, or cut off, is refused by name, and nothing is written',
      async (_, name) => {
        const first = await open();
        await first.append([record(1)]);
        await first.append([record(2)]);
        if (name.startsWith('snapshots')) first.snapshot([record(1), record(2)]);
        await first.close();
        const key = `${location.key}${name}`;
        const whole = await collectBytes(location.store.read(key));
        const before = await keysOf(location);
        for (const bytes of damaged(whole)) {
          await location.store.put(key, bytes);
          await expect(open()).rejects.toMatchObject({ message: expect.stringContaining(name) });
        }
        await location.store.remove(key);
        if (name.startsWith('log')) await expect(open()).rejects.toMatchObject({ code: 'corrupt' });
        await location.store.put(key, whole);
        expect(await keysOf(location)).toEqual(before);
        expect(await replay(location)).toEqual([1, 2]);
      },
    );
  });
}

/** Appends, starts anew (0) and writes snapshots (1) as told; the store fails for good after so many removals and puts. */
async function liveAndDie(
  location: StoreLocation,
  steps: readonly number[],
  cutAfter: number,
): Promise<number[]> {
  const told: number[] = [];
  let left = cutAfter;
  const dying = withStore(location, {
    remove: async (key) => {
      if (left-- > 0) await location.store.remove(key);
      else throw new Error('dead');
    },
  });
  let journal = await StoreJournal.open(dying, ports);
  for (const [at, step] of steps.entries()) {
    if (step === 0) journal = await StoreJournal.open(dying, ports);
    else if (step === 1) journal.snapshot(told.map(record));
    else {
      await journal.append([record(at)]);
      told.push(at);
    }
    await journal.close();
  }
  return told;
}

/** One byte changed here and there, and cut off here and there; at the first and last places too. */
function* damaged(whole: Buffer): Generator<Buffer> {
  for (let at = 0; at < whole.length; at += at < 5 || at > whole.length - 20 ? 1 : 17) {
    const changed = Buffer.from(whole);
    changed[at] = (changed[at] ?? 0) ^ 0x01;
    yield changed;
    yield whole.subarray(0, at);
  }
}

function withStore(
  location: StoreLocation,
  changed: Partial<Pick<StoreLocation['store'], 'list' | 'remove' | 'putIfAbsent'>>,
): StoreLocation {
  const { store } = location;
  const same = {
    list: store.list.bind(store),
    read: store.read.bind(store),
    head: store.head.bind(store),
    put: store.put.bind(store),
    putIfAbsent: store.putIfAbsent.bind(store),
    remove: store.remove.bind(store),
  };
  return { ...location, store: Object.assign(Object.create(store), same, changed) };
}

/** Something happens once, after the first two listings: those that tell where the chain ends. */
function afterList(location: StoreLocation, happens: () => Promise<void>): StoreLocation {
  let lists = 0;
  return withStore(location, {
    async *list(prefix) {
      yield* location.store.list(prefix);
      lists++;
    },
    async putIfAbsent(key, bytes) {
      if (lists === 2) await happens();
      return location.store.putIfAbsent(key, bytes);
    },
  });
}
