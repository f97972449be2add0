import { randomUUID } from 'node:crypto';
import { beforeEach, expect, test } from 'vitest';
import { ManualClock } from '../lib/clock.ts';
import { MillraceError } from '../lib/errors.ts';
import { toJobId } from '../lib/ids.ts';
import { collectBytes } from '../lib/iterables.ts';
import type { JobEvent } from '../lib/job-event.ts';
import type { JobState, JobView } from '../lib/job-view.ts';
import { limits } from '../lib/limits.ts';
import { createLog } from '../lib/log.ts';
import { memoryStore } from '../lib/store/resolve.ts';
import type { Store } from '../lib/store/store.ts';
import { JobEventLog } from './job-event-log.ts';

const jobId = toJobId('job');
const other = toJobId('other');

let clock: ManualClock;
let store: Store;
let puts: string[];
let shown: JobState;
let failing: ((key: string) => boolean) | undefined;
beforeEach(() => {
  clock = new ManualClock();
  const memory = memoryStore(randomUUID());
  puts = [];
  shown = 'REDUCING';
  failing = undefined;
  const put = memory.putIfAbsent.bind(memory);
  store = Object.assign(memory, {
    async putIfAbsent(key: string, bytes: Uint8Array) {
      puts.push(key);
      if (failing?.(key)) throw new MillraceError('store-failed', 'the store is away');
      return put(key, bytes);
    },
  });
});

function open(): JobEventLog {
  return new JobEventLog({
    clock,
    log: createLog('test', 'silent'),
    stores: { locate: (uri) => ({ store, key: uri.slice('mem://x/'.length), uri }) },
    storeUri: 'mem://x/',
    view: (id) => ({ jobId: id, state: shown, counters: { lines: 3 } }) as unknown as JobView,
  });
}

function state(to: JobState, id = jobId): JobEvent {
  shown = to;
  return { atMs: clock.now(), jobId: id, type: 'job-state', state: to, cause: null };
}
const started = (task: string, worker = 'w1'): JobEvent => ({
  atMs: clock.now(),
  jobId,
  type: 'attempt-started',
  task,
  attempt: 0,
  worker,
  reason: 'first',
  waitedMs: 5,
});

async function stored(): Promise<Record<string, Record<string, unknown>[]>> {
  const found: Record<string, Record<string, unknown>[]> = {};
  for await (const { key } of store.list('')) {
    const text = (await collectBytes(store.read(key))).toString();
    found[key] = key.endsWith('l')
      ? text
          .trimEnd()
          .split('\n')
          .map((line) => JSON.parse(line))
      : [JSON.parse(text)];
  }
  return found;
}

test('events gather for some seconds and are written together, each job to its own folder, in numbered objects', async () => {
  const log = open();
  log.record(state('SUBMITTED'));
  log.record(started('m0'));
  log.record(state('SUBMITTED', other));
  expect(puts).toEqual([]);
  clock.advance(3_000);
  await log.flush();
  log.record(started('m1'));
  clock.advance(3_000);
  await log.flush();
  const found = await stored();
  expect(Object.keys(found)).toEqual([
    'jobs/job/events/000001.jsonl',
    'jobs/job/events/000002.jsonl',
    'jobs/other/events/000001.jsonl',
  ]);
  expect(found['jobs/job/events/000001.jsonl']).toMatchObject([{ state: 'SUBMITTED' }, { task: 'm0' }]);
  expect(found['jobs/job/events/000002.jsonl']).toMatchObject([{ task: 'm1' }]);
});

test('the end of a job is written at once, its outcome after all events', async () => {
  const log = open();
  log.record(started('m0'));
  log.record(state('COMPLETED'));
  await log.flush();
  expect(puts).toEqual(['jobs/job/events/000001.jsonl', 'jobs/job/outcome.json']);
  expect((await stored())['jobs/job/outcome.json']).toMatchObject([{ jobId, counters: { lines: 3 } }]);
});

test('nothing is written while nothing happens', async () => {
  const log = open();
  log.record(started('m0'));
  clock.advance(60_000);
  await log.flush();
  clock.advance(60_000);
  await log.flush();
  expect(puts).toHaveLength(1);
});

test('closing writes what waits', async () => {
  const log = open();
  log.record(started('m0'));
  await log.close();
  expect(puts).toEqual(['jobs/job/events/000001.jsonl']);
});

test('a store that fails delays events, loses and doubles none, and holds up no other job', async () => {
  const log = open();
  failing = (key) => key.startsWith('jobs/job/');
  log.record(started('m0'));
  log.record(state('COMPLETED', other));
  await log.flush();
  expect(Object.keys(await stored())).toEqual(['jobs/other/events/000001.jsonl', 'jobs/other/outcome.json']);
  log.record(started('m1'));
  failing = undefined;
  clock.advance(3_000);
  await log.flush();
  const found = await stored();
  expect([found['jobs/job/events/000001.jsonl'], found['jobs/job/events/000002.jsonl']]).toMatchObject([
    [{ task: 'm0' }],
    [{ task: 'm1' }],
  ]);
});

test('a batch that was stored although its answer was lost is not written twice', async () => {
  const log = open();
  const put = store.putIfAbsent.bind(store);
  let isLost = true;
  Object.assign(store, {
    async putIfAbsent(key: string, bytes: Uint8Array) {
      const isNew = await put(key, bytes);
      if (!isLost) return isNew;
      isLost = false;
      throw new MillraceError('store-failed', 'connection reset');
    },
  });
  log.record(started('m0'));
  await log.flush();
  log.record(state('COMPLETED'));
  await log.flush();
  expect(await stored()).toMatchObject({
    'jobs/job/events/000001.jsonl': [{ task: 'm0' }],
    'jobs/job/events/000002.jsonl': [{ state: 'COMPLETED' }],
    'jobs/job/outcome.json': [{}],
  });
});

test('a coordinator goes on after the numbers of the one before it', async () => {
  const before = open();
  for (const task of ['m0', 'm1', 'm2']) {
    before.record(started(task));
    await before.flush();
  }
  const after = open();
  after.record(started('m3'));
  await after.flush();
  const found = await stored();
  expect(Object.keys(found)).toHaveLength(4);
  expect(found['jobs/job/events/000004.jsonl']).toMatchObject([{ task: 'm3' }]);
});

test('many events go out in objects of bounded size without waiting', async () => {
  const log = open();
  const long = 'w'.repeat(limits.eventBatchCharsMax / 4);
  for (let map = 0; map < 6; map++) log.record(started(`m${map}`, long));
  await log.flush();
  const sizes = Object.values(await stored()).map((lines) => lines.length);
  expect(sizes).toEqual([4, 2]);
});

test('with the store away memory is bounded: what is dropped is counted, and what happens to the job is kept', async () => {
  const log = open();
  failing = () => true;
  const long = 'w'.repeat(limits.eventsWaitingCharsMax / 4);
  for (let map = 0; map < 9; map++) log.record(started(`m${map}`, long));
  log.record(state('REDUCING'));
  await log.flush();
  failing = undefined;
  log.record(state('COMPLETED'));
  await log.flush();
  const lines = Object.values(await stored()).flat();
  const kept = lines.map((line) => line.task ?? line.events ?? line.state);
  expect(kept).toEqual(['m0', 'm1', 'm2', 'm3', 5, 'REDUCING', 'COMPLETED', 'COMPLETED']);
});

test('the events of an ended job are given up after a while, so that a broken store does not fill the memory', async () => {
  const log = open();
  failing = () => true;
  log.record(state('FAILED'));
  for (let tries = 0; tries < 30; tries++) await log.flush();
  const triesMade = puts.length;
  await log.flush();
  expect(puts).toHaveLength(triesMade);
});

test('what attempts still do when their job has ended is told after its outcome, and tried no longer than the rest', async () => {
  const log = open();
  log.record(started('r0'));
  log.record(state('COMPLETED'));
  await log.flush();
  log.record(started('r1'));
  await log.flush();
  expect(await stored()).toMatchObject({
    'jobs/job/events/000001.jsonl': [{ task: 'r0' }, { state: 'COMPLETED' }],
    'jobs/job/events/000002.jsonl': [{ task: 'r1' }],
  });
  failing = () => true;
  log.record(started('r2'));
  for (let tries = 0; tries < 30; tries++) await log.flush();
  const triesMade = puts.length;
  await log.flush();
  expect(puts).toHaveLength(triesMade);
});

test('what happens while the outcome is being written is not lost', async () => {
  const log = open();
  const put = store.putIfAbsent.bind(store);
  Object.assign(store, {
    async putIfAbsent(key: string, bytes: Uint8Array) {
      if (key.endsWith('outcome.json')) log.record(started('r1'));
      return put(key, bytes);
    },
  });
  log.record(state('COMPLETED'));
  await log.flush();
  await log.flush();
  expect(await stored()).toMatchObject({ 'jobs/job/events/000002.jsonl': [{ task: 'r1' }] });
});
