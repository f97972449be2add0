/** The session against a real gRPC server that plays the coordinator, on a clock that the test moves. */
import { once } from 'node:events';
import { setImmediate as turn } from 'node:timers/promises';
import { Server, ServerCredentials, type ServerDuplexStream, status } from '@grpc/grpc-js';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ManualClock } from '../../lib/clock.ts';
import { type AttemptId, toJobId, toWorkerId } from '../../lib/ids.ts';
import { limits } from '../../lib/limits.ts';
import { createLog } from '../../lib/log.ts';
import { noCredentials } from '../../lib/security/credentials.ts';
import type { CoordinatorMessage } from '../../proto/gen/millrace/v1/CoordinatorMessage.ts';
import type { Hello__Output } from '../../proto/gen/millrace/v1/Hello.ts';
import type { WorkerMessage__Output } from '../../proto/gen/millrace/v1/WorkerMessage.ts';
import { loadWorkerService } from '../../proto/load.ts';
import { Arrivals } from '../../test/arrivals.ts';
import { attemptIdOut } from './convert.ts';
import { Session, type SessionHandlers } from './session.ts';

type Stream = ServerDuplexStream<WorkerMessage__Output, CoordinatorMessage>;

const attempt: AttemptId = { jobId: toJobId('job'), kind: 'map', index: 3, attempt: 1, epoch: 2 };
const report = { attempt, outcome: { kind: 'sample-done' as const, keys: [] }, counters: {} };

let server: Server;
let address: string;
let streams: Arrivals<Stream>;
let messages: Arrivals<WorkerMessage__Output>;
let clock: ManualClock;
let calls: Arrivals<[string, ...unknown[]]>;
let sessions: Session[];
let idle: boolean;
/** Of each welcome, whether it was the first of its epoch. */
let welcomes: boolean[];

beforeEach(async () => {
  streams = new Arrivals();
  messages = new Arrivals();
  calls = new Arrivals();
  clock = new ManualClock();
  sessions = [];
  idle = false;
  welcomes = [];
  server = new Server();
  server.addService(loadWorkerService().service, {
    Session(stream: Stream) {
      stream.on('data', (message) => messages.push(message));
      stream.on('error', () => undefined);
      streams.push(stream);
    },
  });
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    ),
  );
  address = `127.0.0.1:${port}`;
});
afterEach(() => {
  for (const session of sessions) session.abandon();
  server.forceShutdown();
});

/** What it said of whether work may be sent here, in order. */
let serving: boolean[] = [];

function open(joinTimeoutMs = 0, coordinator = address): Session {
  serving = [];
  const call = (name: string) => {
    return (...args: unknown[]) => calls.push([name, ...args]);
  };
  const handlers: SessionHandlers = {
    onJob: call('job'),
    onTicket: call('ticket'),
    onAssignment: call('assignment'),
    onCancel: call('cancel'),
    onLocations: call('locations'),
    onAnswer: call('answer'),
    onJobEnded: call('ended'),
    onWelcome: (_key, isNewLead) => welcomes.push(isNewLead),
    onRejoin: () => toWorkerId('reborn'),
    held: () => [{ ...attempt, index: 8 }],
    replaces: () => [toWorkerId('dead')],
    jobs: () => [toJobId('job-0')],
    isIdle: () => idle,
    progress: () => [],
    usage: () => ({ rssBytes: 1, memoryBytesMax: 0, cpuFraction: 0, scratchBytes: 0, scratchBytesMax: 0 }),
  };
  const session = new Session({
    coordinator,
    credentials: noCredentials,
    workerId: toWorkerId('w'),
    slots: 1,
    fetchAddress: '127.0.0.1:1',
    home: 'h',
    softwareVersion: '0',
    clock,
    log: createLog('test', 'silent'),
    handlers,
    onServing: (isServing) => serving.push(isServing),
    diagnose: async ({ id }) => [{ check: id, ok: true, detail: '', ms: 1 }],
    joinTimeoutMs,
  });
  sessions.push(session);
  return session;
}

async function join(session: Session, early: CoordinatorMessage = {}): Promise<Stream> {
  const stream = await streams.next();
  const { hello } = await messages.next();
  expect(hello).toMatchObject({ home: 'h', held: [{ index: 8 }], replaces: ['dead'], jobIds: ['job-0'] });
  stream.write(early);
  stream.write({ welcome: { heartbeatIntervalMs: 1_000, epoch: 2 } });
  await session.joined;
  expect((await messages.next()).heartbeat?.rssBytes).toBe(1);
  return stream;
}

test('it says hello, is welcomed, and then says a heartbeat at the interval it was told', async () => {
  await join(open());
  clock.advance(1_000);
  expect((await messages.next()).heartbeat).not.toBeNull();
});

test('what comes before the welcome is not obeyed', async () => {
  const stream = await join(open(), { jobsEnded: ['early'] });
  stream.write({ jobsEnded: ['late'] });
  expect(await calls.next()).toEqual(['ended', 'late']);
});

test('a coordinator that takes its hello and stays silent is left for the next one', async () => {
  const session = open(0, `${address},${address}`);
  const silent = await streams.next();
  const left = new Promise((resolve) => silent.once('cancelled', resolve));
  await messages.next();
  clock.advance(limits.welcomeTimeoutMs);
  await left;
  const unstick = setInterval(() => clock.advance(100), 2);
  await join(session);
  clearInterval(unstick);
});

test('work may be sent here while it is joined and does not drain', async () => {
  const session = open();
  expect(serving).toEqual([]);
  const stream = await join(session);
  expect(serving).toEqual([true]);
  stream.end();
  const unstick = setInterval(() => clock.advance(100), 2);
  const again = await streams.next();
  clearInterval(unstick);
  expect(serving.at(-1)).toBe(false);
  await messages.next();
  again.write({ welcome: { heartbeatIntervalMs: 1_000, epoch: 2 } });
  await messages.next();
  expect(serving.at(-1)).toBe(true);
  session.drain();
  expect(serving.at(-1)).toBe(false);
});

test('reports gather and travel in one message', async () => {
  const session = open();
  await join(session);
  session.report(report);
  session.report({ ...report, attempt: { ...attempt, index: 4 } });
  clock.advance(5);
  const message = await messages.next();
  expect(message.reports.map((one) => one.attempt?.index)).toEqual([3, 4]);
});

test('a part that is begun is said with the store handle that drops it', async () => {
  const session = open();
  await join(session);
  session.partOpened({ attempt, part: { uri: 's3://bucket/out/part-r-00000', token: 'upload' } });
  clock.advance(5);
  const { partsOpened } = await messages.next();
  expect(partsOpened).toMatchObject([
    { attempt: { index: 3 }, uri: 's3://bucket/out/part-r-00000', token: 'upload' },
  ]);
});

test('a report that was not answered is sent again after a reconnect and named in the hello; an answered one is not', async () => {
  const session = open();
  const stream = await join(session);
  session.report(report);
  session.report({ ...report, attempt: { ...attempt, index: 4 } });
  clock.advance(5);
  await messages.next();
  stream.write({ answers: [{ attempt: attemptIdOut(attempt), accepted: true }] });
  expect(await calls.next()).toEqual(['answer', attempt, true]);
  const unstick = setInterval(() => clock.advance(100), 2);
  stream.end();
  const again = await streams.next();
  clearInterval(unstick);
  let hello = await messages.next();
  while (!hello.hello) hello = await messages.next();
  expect(hello.hello.running.map((one) => one.index)).toEqual([4]);
  again.write({ welcome: { heartbeatIntervalMs: 1_000, epoch: 2 } });
  expect((await messages.next()).reports.map((one) => one.attempt?.index)).toEqual([4]);
});

test('reports of very many segments stay under the message limit, also when all are sent again', async () => {
  const session = open();
  const stream = await join(session);
  const segments = Array.from({ length: 5_000 }, () => ({ records: 1e9, bytes: 1e12, crc32: 1 }));
  const mapDone = { inputRecords: 1, inputBytes: 1, segments, part: undefined, spills: 0, spillBytes: 0 };
  for (let index = 0; index < 100; index++) {
    const outcome = { kind: 'map-done' as const, report: mapDone };
    session.report({ attempt: { ...attempt, index }, outcome, counters: {} });
  }
  clock.advance(5);
  const seen = new Set<number | undefined>();
  const receive = async () => {
    for (const one of (await messages.next()).reports) seen.add(one.attempt?.index);
  };
  while (seen.size < 100) await receive();
  seen.clear();
  const unstick = setInterval(() => clock.advance(100), 2);
  stream.end();
  (await streams.next()).write({ welcome: { heartbeatIntervalMs: 1_000, epoch: 2 } });
  while (seen.size < 100) await receive();
  clearInterval(unstick);
});

/** The stream breaks, and the worker comes back. */
async function reconnect(stream: Stream): Promise<{ stream: Stream; hello: Hello__Output }> {
  const unstick = setInterval(() => clock.advance(100), 2);
  stream.end();
  const again = await streams.next();
  clearInterval(unstick);
  for (;;) {
    const { hello } = await messages.next();
    if (hello) return { stream: again, hello };
  }
}

test('a map output that is said again is not named among what runs, and is said on each stream until it is answered', async () => {
  const session = open();
  const stream = await join(session);
  session.report({ ...report, again: true });
  clock.advance(5);
  expect((await messages.next()).reports).toMatchObject([{ attempt: { index: 3 }, again: true }]);
  const { stream: next, hello } = await reconnect(stream);
  expect(hello.running).toEqual([]);
  next.write({ welcome: { heartbeatIntervalMs: 1_000, epoch: 3 } });
  expect((await messages.next()).reports).toMatchObject([{ attempt: { index: 3 }, again: true }]);
});

test('its hello says the highest epoch that welcomed it, and the first welcome of an epoch is known as that', async () => {
  const { stream, hello } = await reconnect(await join(open()));
  expect(hello.epochSeen).toBe(2);
  stream.write({ welcome: { heartbeatIntervalMs: 1_000, epoch: 2 } });
  expect((await messages.next()).heartbeat).not.toBeNull();
  const again = await reconnect(stream);
  again.stream.write({ welcome: { heartbeatIntervalMs: 1_000, epoch: 5 } });
  expect((await messages.next()).heartbeat).not.toBeNull();
  expect(welcomes).toEqual([true, false, true]);
  expect((await reconnect(again.stream)).hello.epochSeen).toBe(5);
});

test('the welcome of a deposed coordinator is not obeyed: the worker leaves it', async () => {
  const session = open();
  const { stream } = await reconnect(await join(session));
  const left = once(stream, 'cancelled');
  stream.write({ welcome: { heartbeatIntervalMs: 1_000, epoch: 1 }, jobsEnded: ['job'] });
  await left;
  expect(session.isJoined).toBe(false);
  expect(serving.at(-1)).toBe(false);
  const unstick = setInterval(() => clock.advance(100), 2);
  const again = await streams.next();
  clearInterval(unstick);
  again.write({ welcome: { heartbeatIntervalMs: 1_000, epoch: 2 }, jobsEnded: ['other'] });
  expect(await calls.next()).toEqual(['ended', 'other']);
});

test('of several coordinators it finds the one that leads, and goes round when that one is gone', async () => {
  const standby = new Server();
  let asked = 0;
  standby.addService(loadWorkerService().service, {
    Session(stream: Stream) {
      asked++;
      stream.emit('error', { code: status.UNAVAILABLE, details: `standby; ${address} leads` });
    },
  });
  const port = await new Promise<number>((resolve, reject) =>
    standby.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    ),
  );
  try {
    const session = open(0, `127.0.0.1:1,127.0.0.1:${port}, ${address}`);
    const unstick = setInterval(() => clock.advance(100), 2);
    const joined = join(session);
    const stream = await joined.finally(() => clearInterval(unstick));
    expect(asked).toBe(1);
    expect((await reconnect(stream)).hello.workerId).toBe('w');
    expect(asked).toBe(2);
  } finally {
    standby.forceShutdown();
  }
});

test('without a coordinator only the log of its tasks waits, and no more of it than fits', async () => {
  const session = open();
  const stream = await join(session);
  stream.end();
  await once(stream, 'close');
  while (session.isJoined) await turn();
  const text = 'x'.repeat(1_000);
  const lines = Math.ceil(limits.logCharsWaitingMax / text.length);
  for (let i = 0; i < 2 * lines; i++) session.log(attempt, i, text);
  session.fetchProgress({ attempt, maps: [1], digests: [1], complete: false });
  session.partOpened({ attempt, part: { uri: 's3://bucket/part', token: 'upload' } });
  const { stream: next } = await reconnect(stream);
  next.write({ welcome: { heartbeatIntervalMs: 1_000, epoch: 2 } });
  const { logLines, fetchProgress, partsOpened } = await messages.next();
  expect(logLines.length).toBeGreaterThan(lines / 2);
  expect(logLines.length).toBeLessThan(lines);
  expect([fetchProgress, partsOpened]).toEqual([[], []]);
});

test('what a reduce of very many maps holds is said in messages under the limit', async () => {
  const session = open();
  await join(session);
  const maps = Array.from({ length: limits.mapTasksMax }, (_, map) => map);
  const digests = maps.map((map) => 2 ** 32 - 1 - map);
  session.fetchProgress({ attempt, maps, digests, complete: true });
  clock.advance(5);
  const said: number[] = [];
  while (said.length < maps.length) {
    for (const progress of (await messages.next()).fetchProgress) {
      expect(progress.digests).toEqual(progress.maps.map((map) => 2 ** 32 - 1 - map));
      said.push(...progress.maps);
    }
  }
  expect(said).toEqual(maps);
});

test('an answer that came twice is passed on once', async () => {
  const session = open();
  const stream = await join(session);
  session.report(report);
  const answer = { attempt: attemptIdOut(attempt), accepted: true };
  stream.write({ answers: [answer, answer], jobsEnded: ['job'] });
  expect(await calls.next()).toEqual(['answer', attempt, true]);
  expect(await calls.next()).toEqual(['ended', 'job']);
});

test('what one message holds is handled in the order job, assignment, cancel, locations', async () => {
  const session = open();
  const stream = await join(session);
  stream.write({
    locations: [{ jobId: 'job', version: 1, reduces: [0], found: [{ map: 0, worker: 'w', digests: [9] }] }],
    cancels: [{ attempt: attemptIdOut(attempt), reason: 'why' }],
    assignments: [{ attempt: attemptIdOut(attempt), split: { pieces: [], bytes: 0 } }],
    jobs: [{ jobId: 'job', specJson: '{"jobId":"job"}' }],
  });
  const names = [];
  for (let i = 0; i < 4; i++) names.push((await calls.next())[0]);
  expect(names).toEqual(['job', 'assignment', 'cancel', 'locations']);
});

test('told to rejoin, it comes back under a new id and forgets its old reports', async () => {
  const session = open();
  const stream = await join(session);
  session.report(report);
  stream.write({ rejoin: true });
  let hello = await messages.next();
  while (!hello.hello) hello = await messages.next();
  expect(hello.hello).toMatchObject({ workerId: 'reborn', running: [] });
});

test('a refusal ends it with the reason', async () => {
  const session = open();
  const stream = await streams.next();
  stream.write({ refused: 'run the same version on both' });
  await expect(session.ended).rejects.toThrow(/same version/);
});

test('a message that makes no sense ends it with a clear error', async () => {
  const session = open();
  const stream = await join(session);
  stream.write({ assignments: [{ attempt: attemptIdOut(attempt) }] });
  await expect(session.ended).rejects.toThrow(/without its split/);
});

test('a coordinator that is never reached is named with the setting after the join timeout', async () => {
  server.forceShutdown();
  const session = open(1_000);
  const unstick = setInterval(() => clock.advance(500), 2);
  await expect(session.joined).rejects.toThrow(new RegExp(`${address}.*MILLRACE_COORDINATOR`));
  clearInterval(unstick);
});

test('closing says goodbye', async () => {
  const session = open();
  const stream = await join(session);
  stream.on('end', () => stream.end());
  await session.close();
  await session.ended;
  expect((await messages.next()).goodbye).toBe(true);
});

test('a worker that drains says so, also after a reconnect, and says goodbye when it is told that it may leave', async () => {
  const session = open();
  const stream = await join(session);
  session.drain();
  session.drain();
  expect((await messages.next()).draining).toBe(true);
  const unstick = setInterval(() => clock.advance(100), 2);
  stream.end();
  const again = await streams.next();
  clearInterval(unstick);
  expect((await messages.next()).hello?.draining).toBe(true);
  again.on('end', () => again.end());
  again.write({ welcome: { heartbeatIntervalMs: 1_000, epoch: 2 }, drained: true });
  expect((await messages.next()).heartbeat).not.toBeNull();
  expect((await messages.next()).goodbye).toBe(true);
  await session.ended;
});

test('one that may leave hears first what becomes of its reports, because what nobody wants is its own to drop', async () => {
  const session = open();
  const stream = await join(session);
  stream.on('end', () => stream.end());
  session.report(report);
  clock.advance(5);
  await messages.next();
  session.drain();
  expect((await messages.next()).draining).toBe(true);
  stream.write({ drained: true });
  stream.write({ answers: [{ attempt: attemptIdOut(attempt), accepted: false }] });
  expect(await calls.next()).toEqual(['answer', attempt, false]);
  expect((await messages.next()).goodbye).toBe(true);
  await session.ended;
});

test('one that begins to drain between its hello and the welcome says so then', async () => {
  const session = open();
  const stream = await join(session);
  const unstick = setInterval(() => clock.advance(100), 2);
  stream.end();
  const again = await streams.next();
  clearInterval(unstick);
  expect((await messages.next()).hello?.draining).toBe(false);
  session.drain();
  again.write({ welcome: { heartbeatIntervalMs: 1_000, epoch: 2 } });
  expect((await messages.next()).draining).toBe(true);
});

test('the coordinator may ask for it', async () => {
  const session = open();
  const stream = await join(session);
  stream.on('end', () => stream.end());
  // Nobody asked yet: what may leave is another worker.
  stream.write({ drained: true });
  stream.write({ drain: true });
  expect((await messages.next()).draining).toBe(true);
  stream.write({ drained: true });
  expect((await messages.next()).goodbye).toBe(true);
  await session.ended;
});

test('without a coordinator it leaves at once when it is idle, and stays while somebody may fetch from it', async () => {
  const session = open();
  const stream = await join(session);
  const unstick = setInterval(() => clock.advance(100), 2);
  session.drain();
  expect((await messages.next()).draining).toBe(true);
  stream.end();
  const again = await streams.next();
  clearInterval(unstick);
  expect((await messages.next()).hello?.draining).toBe(true);
  idle = true;
  again.end();
  await session.ended;
});

test('a worker that never joined leaves at once', async () => {
  const session = open();
  await streams.next();
  session.drain();
  await session.ended;
});

test('a diagnosis goes back on the stream that asked for it, with the time of this worker', async () => {
  const stream = await join(open());
  stream.write({ diagnose: { id: 'd1', storeUri: '', peers: [], ticket: '' } });
  for (;;) {
    const { diagnosis } = await messages.next();
    if (!diagnosis) continue;
    expect(diagnosis).toMatchObject({
      id: 'd1',
      clockMs: clock.now(),
      softwareVersion: '0',
      nodeVersion: process.version,
      findings: [{ check: 'd1', ok: true }],
    });
    return;
  }
});
