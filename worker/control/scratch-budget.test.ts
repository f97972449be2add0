import { once } from 'node:events';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ManualClock } from '../../lib/clock.ts';
import { toJobId } from '../../lib/ids.ts';
import { limits } from '../../lib/limits.ts';
import type { ScratchAccount } from './scratch-account.ts';
import { ScratchBudget } from './scratch-budget.ts';

const MiB = 1024 * 1024;
const jobId = toJobId('j1');
const forEver = new AbortController().signal;
const clock = new ManualClock();
let disk = { totalBytes: 10_000, freeBytes: 10_000 };
let budget: ScratchBudget;
const threads: Worker[] = [];

async function open(limitBytes: number | undefined): Promise<ScratchBudget> {
  budget = await ScratchBudget.open({ directory: '/scratch', limitBytes, clock, readDisk: async () => disk });
  return budget;
}

beforeEach(() => {
  disk = { totalBytes: 10_000, freeBytes: 10_000 };
});

afterEach(async () => {
  budget.close();
  await Promise.all(threads.splice(0).map((thread) => thread.terminate()));
});

function fetching(): ScratchAccount {
  const account = budget.openAccount(jobId);
  account.enter('fetching');
  return account;
}

function running(): ScratchAccount {
  const account = budget.openAccount(jobId);
  account.enter('running');
  return account;
}

/** 'waiting' after everything that can happen now has happened. */
async function stateOf(promise: Promise<unknown>): Promise<string> {
  const settled = promise.then(
    () => 'taken',
    (error) => String(error.code),
  );
  return Promise.race([settled, new Promise<string>((resolve) => setImmediate(resolve, 'waiting'))]);
}

/** A thread that takes so much for an account, as that of an attempt does, and stands still until it has it. */
function thread(account: ScratchAccount, bytes: number): Promise<string> {
  const module = join(import.meta.dirname, '../shuffle/scratch-space.ts');
  const code = `
    const { parentPort, workerData } = require('node:worker_threads');
    import(workerData.module).then(({ shareOfSpace }) => {
      try {
        shareOfSpace(workerData.share, () => parentPort.postMessage('waits')).take(workerData.bytes);
        parentPort.postMessage('taken');
      } catch (error) {
        parentPort.postMessage(error.code);
      }
    });`;
  const worker = new Worker(code, { eval: true, workerData: { module, bytes, share: account.share } });
  threads.push(worker);
  worker.on('message', () => undefined);
  return new Promise((resolve, reject) => {
    worker.on('message', (message) => message !== 'waits' && resolve(message));
    worker.on('error', reject);
  });
}

const stands = () => once(threads.at(-1)!, 'message').then(([message]) => expect(message).toBe('waits'));

test('without a setting the limit is what is free, less five per cent of the disk', async () => {
  disk = { totalBytes: 100_000 * MiB, freeBytes: 50_000 * MiB };
  expect((await open(undefined)).limitBytes).toBe(45_000 * MiB);
});

test('at least 256 MiB are left to others, but at most half of what is free at the start', async () => {
  disk = { totalBytes: 2_000 * MiB, freeBytes: 1_000 * MiB };
  expect((await open(undefined)).limitBytes).toBe(744 * MiB);
  budget.close();
  disk = { totalBytes: 100_000 * MiB, freeBytes: 100 * MiB };
  expect((await open(undefined)).limitBytes).toBe(50 * MiB);
  // What others write from then on is theirs.
  disk = { ...disk, freeBytes: 60 * MiB };
  await budget.refresh();
  expect(budget.limitBytes).toBe(10 * MiB);
});

test('a setting is the limit, without a reserve, but no more than the disk has', async () => {
  expect((await open(6_000)).limitBytes).toBe(6_000);
  fetching().keep(1_000);
  disk = { totalBytes: 10_000, freeBytes: 2_000 };
  await budget.refresh();
  expect(budget.limitBytes).toBe(3_000);
});

test('a fetch waits while a running attempt may free space, and has it when that ends', async () => {
  await open(100);
  const other = running();
  await other.take(80, forEver);
  const taken = fetching().take(50, forEver);
  expect(await stateOf(taken)).toBe('waiting');
  other.enter('ending');
  expect(await stateOf(taken)).toBe('waiting');
  other.close();
  expect(await stateOf(taken)).toBe('taken');
  expect(budget.usedBytes).toBe(50);
});

test('fetches have space in the order they asked for it', async () => {
  await open(100);
  const other = running();
  await other.take(100, forEver);
  const large = fetching().take(90, forEver);
  const small = fetching().take(20, forEver);
  other.close();
  expect([await stateOf(large), await stateOf(small)]).toEqual(['taken', 'waiting']);
});

test('when nothing here can free space the waiter that holds most is refused, by folder, bytes, limit and setting', async () => {
  await open(100);
  budget.openAccount(jobId).keep(40);
  const [small, large] = [fetching(), fetching()];
  await small.take(20, forEver);
  await large.take(40, forEver);
  const [smallTakes, largeTakes] = [small.take(30, forEver), large.take(30, forEver)];
  await expect(largeTakes).rejects.toMatchObject({
    code: 'no-space',
    message: expect.stringMatching(
      /\/scratch .* 30 B .* 100 B of 100 B .*--scratch-limit \(MILLRACE_SCRATCH_LIMIT\)/,
    ),
  });
  // Its files are still there.
  expect(await stateOf(smallTakes)).toBe('waiting');
  large.close();
  expect(await stateOf(smallTakes)).toBe('taken');
});

test('what is more than the whole limit is refused whoever still runs, but not before the disk was read again', async () => {
  await open(undefined);
  running();
  expect(budget.limitBytes).toBe(5_000);
  disk = { totalBytes: 20_000, freeBytes: 20_000 };
  await fetching().take(12_000, forEver);
  expect(budget.limitBytes).toBe(15_000);
  disk = { totalBytes: 20_000, freeBytes: 8_000 };
  await expect(fetching().take(15_001, forEver)).rejects.toMatchObject({ code: 'no-space' });
});

test('a reduce that waits for maps elsewhere may free space, but is not waited for for ever', async () => {
  await open(100);
  await fetching().take(80, forEver);
  const taken = fetching().take(50, forEver);
  expect(await stateOf(taken)).toBe('waiting');
  clock.advance(limits.scratchWaitMsMax);
  await expect(taken).rejects.toMatchObject({ code: 'no-space' });
});

test('so may another job whose output is here: it is waited for, not for ever', async () => {
  await open(100);
  const output = budget.openAccount(toJobId('j2'));
  output.keep(80);
  const taken = fetching().take(50, forEver);
  expect(await stateOf(taken)).toBe('waiting');
  output.close();
  expect(await stateOf(taken)).toBe('taken');
  budget.openAccount(toJobId('j2')).keep(50);
  const again = fetching().take(50, forEver);
  clock.advance(limits.scratchWaitMsMax);
  await expect(again).rejects.toMatchObject({ code: 'no-space' });
});

test('a map that stands still does not wait for reduces of its own job: they wait for it', async () => {
  await open(100);
  await fetching().take(80, forEver);
  const map = running();
  await map.take(10, forEver);
  expect(await thread(map, 50)).toBe('no-space');
});

test('a fetch that is cancelled lets the next one through', async () => {
  await open(100);
  await running().take(50, forEver);
  const abort = new AbortController();
  const [first, second] = [fetching().take(90, abort.signal), fetching().take(40, forEver)];
  expect(await stateOf(second)).toBe('waiting');
  abort.abort();
  expect([await stateOf(first), await stateOf(second)]).toEqual(['cancelled', 'taken']);
});

test('a new map is held back over the high-water mark while another attempt runs', async () => {
  await open(100);
  const other = running();
  await other.take(90, forEver);
  const map = budget.openAccount(jobId);
  const admitted = map.untilRoom(forEver);
  expect(await stateOf(admitted)).toBe('waiting');
  other.close();
  expect(await stateOf(admitted)).toBe('taken');
  expect(map.phase).toBe('running');
});

test('new maps go one by one when waiting would free nothing', async () => {
  await open(100);
  budget.openAccount(jobId).keep(95);
  const [first, second] = [budget.openAccount(jobId), budget.openAccount(jobId)];
  const [one, two] = [first.untilRoom(forEver), second.untilRoom(forEver)];
  expect([await stateOf(one), await stateOf(two)]).toEqual(['taken', 'waiting']);
  first.close();
  expect(await stateOf(two)).toBe('taken');
});

test('a map that is held back and cancelled is not let in', async () => {
  await open(100);
  await running().take(90, forEver);
  const abort = new AbortController();
  const map = budget.openAccount(jobId);
  const admitted = map.untilRoom(abort.signal);
  abort.abort(new Error('enough'));
  await expect(admitted).rejects.toThrow('enough');
  expect(map.phase).toBe('idle');
});

test('a thread stands still until another attempt frees space', async () => {
  await open(100);
  const [other, map] = [running(), running()];
  await other.take(80, forEver);
  const taken = thread(map, 50);
  await stands();
  other.close();
  expect(await taken).toBe('taken');
  expect(map.heldBytes).toBe(50);
});

test('of threads that all stand still the one that holds most is refused, and the rest go on', async () => {
  await open(100);
  const [small, large] = [running(), running()];
  await small.take(30, forEver);
  await large.take(60, forEver);
  const smallTakes = thread(small, 20);
  await stands();
  const largeTakes = thread(large, 20);
  expect(await largeTakes).toBe('no-space');
  large.close();
  expect(await smallTakes).toBe('taken');
});

test('a thread that is stopped while it waits leaves nothing behind', async () => {
  await open(100);
  const [other, map] = [running(), running()];
  await other.take(80, forEver);
  void thread(map, 50);
  await stands();
  await threads.pop()!.terminate();
  map.close();
  other.close();
  expect(budget.usedBytes).toBe(0);
  await fetching().take(100, forEver);
});

test('what is kept counts until its files are gone, closed once or twice', async () => {
  await open(100);
  const output = running();
  await output.take(60, forEver);
  output.keep();
  expect(budget.usedBytes).toBe(60);
  output.close();
  output.close();
  expect(budget.usedBytes).toBe(0);
});
