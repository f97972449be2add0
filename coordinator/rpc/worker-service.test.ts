import { EventEmitter } from 'node:events';
import { type ClientDuplexStream, credentials, status } from '@grpc/grpc-js';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ManualClock, systemClock } from '../../lib/clock.ts';
import { type AttemptId, toJobId, toWorkerId } from '../../lib/ids.ts';
import type { JobSpec } from '../../lib/job-spec.ts';
import { limits } from '../../lib/limits.ts';
import { createLog } from '../../lib/log.ts';
import { Guard } from '../../lib/security/guard.ts';
import type { CoordinatorMessage__Output } from '../../proto/gen/millrace/v1/CoordinatorMessage.ts';
import type { WorkerMessage } from '../../proto/gen/millrace/v1/WorkerMessage.ts';
import { loadWorkerService, protocolVersion } from '../../proto/load.ts';
import { Arrivals } from '../../test/arrivals.ts';
import { makeTickets } from '../../test/tickets.ts';
import type { JobInfo } from '../core/effects.ts';
import { JobLogs } from '../job-logs.ts';
import type { Happening } from '../loop.ts';
import { type RpcServer, startRpcServer } from './server.ts';
import { WorkerService } from './worker-service.ts';

type Session = ClientDuplexStream<WorkerMessage, CoordinatorMessage__Output>;

const workerId = toWorkerId('w1');
const hello = {
  workerId,
  protocolVersion,
  softwareVersion: '0',
  host: 'here',
  fetchAddress: '127.0.0.1:9',
  slots: 2,
  pid: 7,
  running: [],
};
const attempt: AttemptId = { jobId: toJobId('job'), kind: 'map', index: 1, attempt: 0, epoch: 1 };
const wireAttempt = { jobId: 'job', kind: 'MAP', index: 1, attempt: 0, epoch: 1 } as const;
const jobInfo = (): JobInfo => ({ spec: { jobId: attempt.jobId } as JobSpec, cutPoints: [] });
const split = { pieces: [], bytes: 0, hosts: [] };

let server: RpcServer;
let service: WorkerService;
let events: Arrivals<Happening>;
let jobLogs: JobLogs;
let answers: Arrivals<unknown[]>;
const sessions: Session[] = [];

beforeEach(async () => {
  events = new Arrivals();
  jobLogs = new JobLogs(() => true);
  answers = new Arrivals();
  service = new WorkerService({
    clock: systemClock,
    log: createLog('test', 'silent'),
    jobLogs,
    runs: (worker, { jobId }) => worker === workerId && jobId === attempt.jobId,
    settings: { epoch: 3, heartbeatIntervalMs: 1_000, tickets: makeTickets().issuer },
    dispatch: (event) => events.push(event),
    onDiagnosis: (...answer) => answers.push(answer),
  });
  const unused = () => undefined;
  server = await startRpcServer(
    {
      listen: { host: '127.0.0.1', port: 0 },
      guard: Guard.open,
      log: createLog('test', 'silent'),
      clock: systemClock,
    },
    {
      worker: service.handlers,
      doctor: { Diagnose: unused },
      operator: { Cluster: unused, Drain: unused },
      client: { Submit: unused, Get: unused, List: unused, Cancel: unused, Watch: unused, Logs: unused },
    },
  );
});
afterEach(async () => {
  for (const session of sessions.splice(0)) session.cancel();
  await server[Symbol.asyncDispose]();
});

function open(first: WorkerMessage): { session: Session; messages: Arrivals<CoordinatorMessage__Output> } {
  const Client = loadWorkerService();
  const session = new Client(server.address, credentials.createInsecure()).Session();
  const messages = new Arrivals<CoordinatorMessage__Output>();
  session.on('data', (message) => messages.push(message));
  session.on('error', () => undefined);
  session.write(first);
  sessions.push(session);
  return { session, messages };
}

async function join() {
  const opened = open({ hello: { ...hello, jobIds: ['job'] } });
  expect(await events.next()).toMatchObject({
    type: 'worker-joined',
    worker: { workerId, slots: 2, host: 'here' },
    jobs: ['job'],
  });
  return opened;
}

async function joinWelcomed() {
  const opened = await join();
  service.send({ type: 'send-welcome', workerId, jobs: [] });
  expect((await opened.messages.next()).welcome).not.toBeNull();
  return opened;
}

test('a hello joins and is answered with a welcome', async () => {
  const { messages } = await join();
  service.send({ type: 'send-welcome', workerId, jobs: [] });
  expect((await messages.next()).welcome).toMatchObject({ epoch: 3, heartbeatIntervalMs: 1_000 });
});

test('a stream whose place a late hello of the same worker took is ended, so that the worker says hello again', async () => {
  const { session } = await join();
  await join();
  const ended = new Promise((resolve) => session.once('end', resolve));
  session.write({ draining: true });
  await ended;
});

test.each([
  ['another protocol version', { hello: { ...hello, protocolVersion: 99 } }, /protocol 99.*same version/],
  ['an id that is none', { hello: { ...hello, workerId: '../etc' } }, /worker id/],
  ['no slots', { hello: { ...hello, slots: 0 } }, /--slots/],
  ['a first message that is no hello', { goodbye: true }, /hello/],
])('%s is refused with the reason, and nothing joins', async (_, first, reason) => {
  const { messages } = open(first as WorkerMessage);
  expect((await messages.next()).refused).toMatch(reason);
  await join();
});

test('a worker that has obeyed a later coordinator is sent away, but not refused: another one leads', async () => {
  const { session } = open({ hello: { ...hello, epochSeen: 4 } });
  const end = await new Promise((resolve) => session.once('status', resolve));
  expect(end).toMatchObject({ code: status.UNAVAILABLE, details: expect.stringMatching(/epoch 3.*epoch 4/) });
  await join();
});

test('reports, progress, troubles and logs become events and log lines in order', async () => {
  const { session } = await join();
  const id = wireAttempt;
  session.write({
    heartbeat: { attempts: [{ attempt: id, phase: 'map', recordsIn: 5 }], rssBytes: 1 },
    logLines: [{ attempt: id, atMs: 4, text: 'hello' }],
    fetchProgress: [{ attempt: { ...id, kind: 'REDUCE' }, maps: [2], digests: [7], complete: true }],
    reports: [
      {
        attempt: id,
        mapDone: { inputRecords: 5, segmentRecords: [1], segmentBytes: [2], segmentCrc32: [3] },
        counters: { c: 2 },
      },
    ],
  });
  expect(await events.next()).toMatchObject({
    type: 'worker-heartbeat',
    attempts: [{ attempt, recordsIn: 5 }],
  });
  expect(await events.next()).toMatchObject({
    type: 'fetch-progressed',
    progress: { maps: [2], digests: [7], complete: true },
  });
  expect(await events.next()).toMatchObject({
    type: 'attempt-reported',
    report: {
      attempt,
      counters: { c: 2 },
      outcome: { kind: 'map-done', report: { segments: [{ records: 1, bytes: 2, crc32: 3 }] } },
    },
  });
  expect(jobLogs.read(attempt.jobId, 'm1').map((entry) => entry.text)).toEqual(['hello']);
});

test('what a worker begins to stage is told before its report, and what it uses and that it drains are told', async () => {
  const { session } = await join();
  const id = wireAttempt;
  const part = { uri: 's3://out/part-m-00001', token: 'upload' };
  session.write({
    heartbeat: { rssBytes: 1, cpuFraction: 0.5, scratchBytes: 2, scratchBytesMax: 3, memoryBytesMax: 4 },
    reports: [{ attempt: id, failed: { kind: 'cancelled', message: '' } }],
    partsOpened: [{ attempt: id, ...part }],
    started: [id],
    draining: true,
    goodbye: true,
  });
  expect(await events.next()).toMatchObject({
    usage: { rssBytes: 1, cpuFraction: 0.5, scratchBytes: 2, scratchBytesMax: 3, memoryBytesMax: 4 },
  });
  expect(await events.next()).toEqual({ type: 'attempts-started', workerId, attempts: [attempt] });
  expect(await events.next()).toEqual({ type: 'part-opened', workerId, opened: { attempt, part } });
  expect(await events.next()).toMatchObject({ type: 'attempt-reported' });
  expect(await events.next()).toEqual({ type: 'worker-draining', workerId });
  expect(await events.next()).toEqual({ type: 'worker-left', workerId });
});

test.each([
  [
    'a part without its handle',
    { partsOpened: [{ attempt: wireAttempt, uri: 's3://o/p', token: '' }] },
    /a token of 0 char/,
  ],
  [
    'a part at no address',
    { partsOpened: [{ attempt: wireAttempt, uri: '', token: 't' }] },
    /a uri of 0 char/,
  ],
  [
    'a part with an endless handle',
    { partsOpened: [{ attempt: wireAttempt, uri: 's3://o/p', token: 't'.repeat(2_049) }] },
    /a token of 2049 char/,
  ],
  ['a share of a core that is none', { heartbeat: { cpuFraction: Number.NaN } }, /cpu_fraction is NaN/],
  ['endless cores', { heartbeat: { cpuFraction: Number.POSITIVE_INFINITY } }, /cpu_fraction is Infinity/],
])('%s is refused with the reason', async (_, message, reason) => {
  const { session, messages } = await join();
  session.write(message);
  expect((await messages.next()).refused).toMatch(reason);
});

test('what a failure says is cut to size, whatever a worker sends', async () => {
  const { session } = await join();
  const long = 'x'.repeat(500_000);
  const failed = { kind: 'user-error', message: long, name: long, stack: long, where: long, record: long };
  for (const failure of [
    failed,
    { kind: 'malformed-record', message: long, uri: long },
    { kind: 'no-space', message: long, path: long },
  ]) {
    session.write({ reports: [{ attempt: wireAttempt, failed: failure }] });
    expect(JSON.stringify(await events.next()).length).toBeLessThan(32_768);
  }
});

test('a worker is asked to drain, and told when it may leave, after all that was said before', async () => {
  const { messages } = await joinWelcomed();
  service.send({ type: 'send-answer', workerId, attempt, accepted: true });
  service.send({ type: 'send-drain', workerId });
  service.send({ type: 'send-drained', workerId });
  expect((await messages.next()).answers).toHaveLength(1);
  expect((await messages.next()).drain).toBe(true);
  expect((await messages.next()).drained).toBe(true);
});

test('a stream that breaks is a disconnect; an end that was no goodbye is not a leave', async () => {
  const { session } = await join();
  session.cancel();
  expect(await events.next()).toEqual({ type: 'worker-disconnected', workerId });
});

test('when a worker says hello on a new stream, the end of the old one is no disconnect', async () => {
  const first = await join();
  const second = await join();
  first.session.cancel();
  second.session.write({ goodbye: true });
  expect(await events.next()).toEqual({ type: 'worker-left', workerId });
});

test('what is sent together travels in one message, and a job is described once until it changes', async () => {
  const { messages } = await joinWelcomed();
  const job = jobInfo();
  service.send({ type: 'send-assignment', workerId, attempt, job, input: { kind: 'map', split } });
  service.send({
    type: 'send-assignment',
    workerId,
    attempt: { ...attempt, index: 2 },
    job,
    input: { kind: 'map', split },
  });
  const together = await messages.next();
  expect(together.assignments.map((one) => one.attempt?.index)).toEqual([1, 2]);
  expect(together.jobs).toHaveLength(1);
  service.send({ type: 'send-assignment', workerId, attempt, job: jobInfo(), input: { kind: 'map', split } });
  expect((await messages.next()).jobs).toHaveLength(1);
});

test('a location snapshot too large for one message arrives whole in several', async () => {
  const { messages } = await joinWelcomed();
  const maps = 30_000;
  const found = Array.from({ length: maps }, (_, map) => ({
    map,
    attempt: 0,
    epoch: 1,
    worker: workerId,
    digests: [map],
  }));
  const { jobId } = attempt;
  service.send({
    type: 'send-locations',
    workerId,
    jobId,
    version: 1,
    reduces: [0],
    found,
    lost: [],
    peers: [],
  });
  const seen = new Set<number>();
  let count = 0;
  while (seen.size < maps) {
    const message = await messages.next();
    count++;
    for (const locations of message.locations) for (const location of locations.found) seen.add(location.map);
  }
  expect(count).toBeGreaterThan(1);
});

test('a worker is asked to diagnose, and its answer is cut to size', async () => {
  const { session, messages } = await join();
  service.diagnose(workerId, { id: 'd1', storeUri: 's', peers: [], ticket: 't' });
  expect((await messages.next()).diagnose).toEqual({ id: 'd1', storeUri: 's', peers: [], ticket: 't' });
  const finding = { check: 'store: read', ok: false, detail: 'x'.repeat(10_000), ms: 3 };
  session.write({ diagnosis: { id: 'd1', clockMs: 5, softwareVersion: '1', findings: [finding] } });
  const shortened = { ...finding, detail: 'x'.repeat(600) };
  expect(await answers.next()).toEqual([
    workerId,
    { id: 'd1', clockMs: 5, softwareVersion: '1', nodeVersion: '', findings: [shortened] },
  ]);
});

test('a stream on which nobody says hello is refused in time, and what comes later is not heard', () => {
  const clock = new ManualClock();
  const heard: unknown[] = [];
  const quiet = new WorkerService({
    clock,
    log: createLog('test', 'silent'),
    jobLogs,
    runs: () => false,
    settings: { epoch: 3, heartbeatIntervalMs: 1_000, tickets: makeTickets().issuer },
    dispatch: (event) => heard.push(event),
    onDiagnosis: () => undefined,
  });
  const sent: unknown[] = [];
  const end = () => sent.push('end');
  const stream = Object.assign(new EventEmitter(), { write: (message: unknown) => sent.push(message), end });
  quiet.handlers.Session(stream as unknown as Parameters<typeof quiet.handlers.Session>[0]);
  clock.advance(limits.helloMsMax - 1);
  expect(sent).toEqual([]);
  clock.advance(1);
  expect(sent).toEqual([{ refused: 'no hello came within 15 s' }, 'end']);
  stream.emit('data', { hello });
  expect(heard).toEqual([]);
});
