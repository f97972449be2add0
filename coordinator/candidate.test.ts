import { expect, test } from 'vitest';
import { ManualClock } from '../lib/clock.ts';
import { MillraceError } from '../lib/errors.ts';
import { createLog } from '../lib/log.ts';
import { thisProcess } from '../lib/process-id.ts';
import { MemoryStore } from '../lib/store/memory-store.ts';
import { Candidate } from './candidate.ts';
import { StoreJournal } from './journal.ts';
import { LeadKeeper } from './lead-keeper.ts';
import { type Leader, readLeader, writeLeader } from './leader-file.ts';

const leaseMs = 1_000;
const log = createLog('test', 'silent');
const leader: Leader = {
  version: 1,
  epoch: 1,
  nonce: 'n',
  counter: 1,
  ...thisProcess,
  host: 'another-host',
  grpc: 'a:7450',
  http: null,
  isOver: false,
};

function setUp() {
  const clock = new ManualClock();
  const location = { store: new MemoryStore(), key: 'x/', uri: 'mem://a/x/' };
  const ports = { clock, log, location, leaseMs };
  const candidate = new Candidate(ports);
  const won: StoreJournal[] = [];
  /** Fifths of a lease go by, each with all that comes of it. */
  const pass = async (fifths: number, each: () => Promise<unknown> = async () => undefined) => {
    for (let i = 0; i < fifths; i++) {
      await each();
      clock.advance(leaseMs / 5);
      await new Promise(setImmediate);
    }
  };
  const wait = () => void candidate.untilLeading().then((journal) => won.push(journal));
  return { clock, location, ports, candidate, won, pass, wait };
}

test('on a new store it leads at once', async () => {
  const { candidate } = setUp();
  expect((await candidate.tryNow())?.epoch).toBe(1);
});

test('it waits while the leader renews its lead, and follows a lease after the last time, by its own clock alone', async () => {
  const { location, ports, candidate, won, pass, wait } = setUp();
  const { epoch } = await StoreJournal.open(location, ports);
  let counter = 0;
  const renew = () => writeLeader(location, { ...leader, epoch, counter: ++counter });
  await renew();
  expect(await candidate.tryNow()).toBeUndefined();
  expect(candidate.leader?.grpc).toBe('a:7450');
  wait();
  await pass(25, renew);
  await pass(4);
  expect(won).toEqual([]);
  await pass(1);
  expect(won.map((journal) => journal.epoch)).toEqual([2]);
});

test('a lead that ended in order, or whose process is gone from this host, is followed at once', async () => {
  for (const end of [{ isOver: true }, { ...thisProcess, processStartedAtMs: 1 }]) {
    const { location, ports, candidate } = setUp();
    const { epoch } = await StoreJournal.open(location, ports);
    await writeLeader(location, { ...leader, epoch, ...end });
    expect((await candidate.tryNow())?.epoch).toBe(2);
  }
});

test('a leader of this very process, or with its id on another host, is not taken for gone', async () => {
  for (const owner of [thisProcess, { ...thisProcess, host: 'another-host', processStartedAtMs: 1 }]) {
    const { location, ports, candidate } = setUp();
    const { epoch } = await StoreJournal.open(location, ports);
    await writeLeader(location, { ...leader, epoch, ...owner });
    expect(await candidate.tryNow()).toBeUndefined();
  }
});

test('when the journal has an epoch that leader.json does not know, somebody has just taken the lead: a lease is waited for', async () => {
  const { location, ports, candidate, won, pass, wait } = setUp();
  await StoreJournal.open(location, ports);
  await StoreJournal.open(location, ports);
  await writeLeader(location, { ...leader, epoch: 1, isOver: true });
  expect(await candidate.tryNow()).toBeUndefined();
  wait();
  await pass(5);
  expect(won).toEqual([]);
  await pass(1);
  expect(won.map((journal) => journal.epoch)).toEqual([3]);
});

test('of two that waited for the same lease one leads: whoever comes second finds an epoch that leader.json does not know', async () => {
  const { location, ports, won, pass, wait } = setUp();
  const { epoch } = await StoreJournal.open(location, ports);
  await writeLeader(location, { ...leader, epoch });
  const second = new Candidate(ports);
  expect(await second.tryNow()).toBeUndefined();
  wait();
  await pass(6);
  expect(won.map((journal) => journal.epoch)).toEqual([2]);
  // The first has had no time to write the file.
  expect(await second.tryNow()).toBeUndefined();
  expect(await second.tryNow()).toBeUndefined();
  await pass(4);
  expect(await second.tryNow()).toBeUndefined();
  await pass(1);
  expect((await second.tryNow())?.epoch).toBe(3);
});

test('of several that start at once on a new store one leads, and the others stand by', async () => {
  const { ports } = setUp();
  const candidates = Array.from({ length: 5 }, () => new Candidate(ports));
  const journals = await Promise.all(candidates.map((candidate) => candidate.tryNow()));
  expect(journals.filter((journal) => journal !== undefined)).toHaveLength(1);
  expect(await Promise.all(candidates.map((candidate) => candidate.tryNow()))).toEqual(
    Array(5).fill(undefined),
  );
});

test('a store that was away counts for nothing: the leader gets a whole lease when it is back', async () => {
  const { location, ports, candidate, won, pass, wait } = setUp();
  const { epoch } = await StoreJournal.open(location, ports);
  await writeLeader(location, { ...leader, epoch });
  expect(await candidate.tryNow()).toBeUndefined();
  wait();
  const { read } = location.store;
  location.store.read = () => {
    throw new MillraceError('unavailable', 'away');
  };
  await pass(20);
  location.store.read = read;
  await pass(5);
  expect(won).toEqual([]);
  await pass(1);
  expect(won).toHaveLength(1);
});

test('stopped, it asks no more and never leads', async () => {
  const { location, ports, candidate, won, pass, wait } = setUp();
  await StoreJournal.open(location, ports);
  await writeLeader(location, leader);
  wait();
  candidate.stop();
  await writeLeader(location, { ...leader, isOver: true });
  await pass(10);
  expect(won).toEqual([]);
});

test('a file of somebody else is no leader, and is not waited for', async () => {
  for (const text of ['', 'null', '[]', '{"version":2}', JSON.stringify({ ...leader, epoch: '1' })]) {
    const { location, candidate } = setUp();
    await location.store.put('x/leader.json', Buffer.from(text));
    expect(await readLeader(location)).toBeUndefined();
    expect((await candidate.tryNow())?.epoch).toBe(1);
  }
});

function keep(deposed: unknown[] = []) {
  const { clock, location, ports, pass } = setUp();
  const lead = { epoch: 3, nonce: 'me', grpc: 'b:1', http: 'b:2' };
  const keeper = new LeadKeeper({ ...ports, lead, onDeposed: (error) => deposed.push(error) });
  return { keeper, clock, location, pass, deposed };
}

test('the leader says that it leads every third of a lease, and in the end that it is over', async () => {
  const { keeper, clock, location } = keep();
  await keeper.start();
  const counters: (number | undefined)[] = [];
  for (let i = 0; i < 3; i++) {
    counters.push((await readLeader(location))?.counter);
    clock.advance(leaseMs / 3);
    await new Promise(setImmediate);
  }
  expect(counters).toEqual([1, 2, 3]);
  expect(await readLeader(location)).toMatchObject({
    epoch: 3,
    nonce: 'me',
    grpc: 'b:1',
    http: 'b:2',
    isOver: false,
  });
  await keeper.close();
  expect(await readLeader(location)).toMatchObject({ isOver: true, counter: 5 });
});

test('a leader that reads of a later epoch says so once, and writes nothing any more', async () => {
  const { keeper, location, pass, deposed } = keep();
  await keeper.start();
  const later = { ...leader, epoch: 4, grpc: 'c:1' };
  await writeLeader(location, later);
  await pass(10);
  await keeper.close();
  expect(deposed).toEqual([
    expect.objectContaining({
      code: 'wrong-state',
      message: expect.stringMatching(/c:1 \(epoch 4\).*epoch 3/),
    }),
  ]);
  expect(await readLeader(location)).toEqual(later);
});

test('an earlier epoch in the file is that of a leader that woke up late: it is overwritten', async () => {
  const { keeper, location, pass, deposed } = keep();
  await keeper.start();
  await writeLeader(location, { ...leader, epoch: 2 });
  await pass(2);
  expect(await readLeader(location)).toMatchObject({ epoch: 3, nonce: 'me' });
  expect(deposed).toEqual([]);
});

test('a store that fails is tried again, and does not end the lead', async () => {
  const { keeper, location, pass, deposed } = keep();
  const { put } = location.store;
  location.store.put = async () => {
    throw new MillraceError('unavailable', 'away');
  };
  await keeper.start();
  await pass(10);
  expect(await readLeader(location)).toBeUndefined();
  location.store.put = put;
  await pass(2);
  expect(await readLeader(location)).toMatchObject({ epoch: 3 });
  expect(deposed).toEqual([]);
});
