/** Workers that lie about who they are or what they did, and fetches without a right: nothing of it counts. */
import { once } from 'node:events';
import type { ClientDuplexStream } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ManualClock } from '../../lib/clock.ts';
import { toJobId, toWorkerId } from '../../lib/ids.ts';
import { limits } from '../../lib/limits.ts';
import { createLog } from '../../lib/log.ts';
import { noCredentials, securityToCoordinator } from '../../lib/security/credentials.ts';
import { diagnoseJobId } from '../../lib/security/ticket.ts';
import type { CoordinatorMessage__Output } from '../../proto/gen/millrace/v1/CoordinatorMessage.ts';
import type { WorkerMessage } from '../../proto/gen/millrace/v1/WorkerMessage.ts';
import { loadWorkerService, protocolVersion } from '../../proto/load.ts';
import { type ShuffleServer, serveShuffle } from '../../worker/control/serve-shuffle.ts';
import { MapOutputs } from '../../worker/shuffle/outputs.ts';
import { Arrivals } from '../arrivals.ts';
import { makeTickets } from '../tickets.ts';
import { callRaw, methodNamed } from './raw-call.ts';
import { Target, workerToken } from './target.ts';

let target: Target;
let before: string;

beforeAll(async () => {
  target = await Target.startWithTokens();
  before = await target.picture();
}, 30_000);
afterAll(() => target[Symbol.asyncDispose]());

const hello = (change: object = {}) => ({
  hello: {
    workerId: 'rogue',
    protocolVersion,
    softwareVersion: '0',
    host: 'here',
    fetchAddress: '127.0.0.1:9',
    slots: 8,
    pid: 7,
    ...change,
  },
});
const attempt = { jobId: 'job-1', kind: 'MAP', index: 0, attempt: 0, epoch: 1 } as const;

describe('a session', () => {
  it.each([
    ['without a hello', { heartbeat: {} }, /must be a hello/],
    ['of another protocol', hello({ protocolVersion: 99 }), /protocol 99.*same version/],
    ['of a worker whose id is a path', hello({ workerId: '../../x' }), /worker id must match/],
    ['of a worker without an id', hello({ workerId: '' }), /worker id must match/],
    ['with no slots', hello({ slots: 0 }), /slots is 0/],
    ['with too many slots', hello({ slots: 100_000 }), /must be from 1 to 256/],
    ['with a fetch address that is a path', hello({ fetchAddress: 'http://x/y' }), /fetch address/],
    [
      'that holds outputs of a job that is a path',
      hello({ held: [{ ...attempt, jobId: '../x' }] }),
      /job id must match/,
    ],
    ['that runs attempts of no kind', hello({ running: [{ ...attempt, kind: 0 }] }), /task kind/],
    ['that replaces a path', hello({ replaces: ['../x'] }), /worker id must match/],
  ])('%s is refused', async (_, message, why) => {
    const { code, received } = await openSession([message]);
    expect(code).toBe('OK');
    expect(received).toEqual([expect.objectContaining({ refused: expect.stringMatching(why) })]);
    expect(await target.picture()).toBe(before);
  });

  it('under the id of a worker that is connected is refused, and that worker stays', async () => {
    const { received } = await openSession([hello({ workerId: target.worker.workerId, pid: 1 })]);
    expect(received).toEqual([
      expect.objectContaining({ refused: expect.stringMatching(/is connected already, as process \d+/) }),
    ]);
    expect(await target.picture()).toBe(before);
  });

  function openSession(messages: readonly object[]) {
    const method = methodNamed('Session');
    return callRaw({ address: target.coordinator.address, method, token: workerToken, messages });
  }
});

type Session = ClientDuplexStream<WorkerMessage, CoordinatorMessage__Output>;

/** A worker of the cluster that does what the test says. */
async function joinRogue(change: object = {}) {
  const security = securityToCoordinator(
    { ...noCredentials, token: workerToken },
    target.coordinator.address,
  );
  const client = new (loadWorkerService())(
    target.coordinator.address,
    security.credentials,
    security.options,
  );
  const session: Session = client.session();
  const arrivals = new Arrivals<CoordinatorMessage__Output>();
  session.on('data', (message) => arrivals.push(message));
  session.on('error', () => undefined);
  session.write(hello(change));
  await next(arrivals, (message) => message.welcome !== null);
  const leave = async () => {
    const ended = once(session, 'status');
    session.write({ goodbye: true });
    session.end();
    await ended;
    client.close();
  };
  return { session, arrivals, leave };
}

async function next(
  arrivals: Arrivals<CoordinatorMessage__Output>,
  wanted: (message: CoordinatorMessage__Output) => boolean,
): Promise<CoordinatorMessage__Output> {
  for (;;) {
    const message = await arrivals.next();
    if (wanted(message)) return message;
  }
}

describe('a worker that joined', () => {
  it('may report only what it was given: another attempt, another epoch and another job change nothing', async () => {
    const { session, arrivals, leave } = await joinRogue();
    const handle = await target.submit('reports');
    const { assignments } = await next(arrivals, (message) => message.assignments.length > 0);
    const mine = assignments[0]!.attempt!;
    const failed = { kind: 'user-error', message: 'a lie', name: 'Lie' };
    const lies = [
      { ...mine, epoch: mine.epoch + 1 },
      { ...mine, attempt: mine.attempt + 1 },
      { ...mine, index: 1 - mine.index },
      { ...mine, index: 1_000 },
      { ...mine, kind: 'REDUCE' as const, index: 0 },
      { ...mine, jobId: 'job-of-nobody' },
    ];
    session.write({ reports: lies.map((attempt) => ({ attempt, failed })) });
    const answers = [];
    while (answers.length < lies.length) {
      const message = await next(arrivals, (message) => message.answers.length > 0);
      answers.push(...message.answers);
    }
    expect(answers.map(({ accepted }) => accepted)).toEqual(lies.map(() => false));
    // Reported truly it counts: the refusals were of the lies.
    session.write({ reports: [{ attempt: mine, failed: { kind: 'cancelled', message: 'not for me' } }] });
    expect(await next(arrivals, (message) => message.answers.length > 0)).toMatchObject({
      answers: [{ accepted: true }],
    });
    expect((await handle.status()).failedAttempts).toEqual([]);
    await handle.cancel();
    await leave();
  });

  it('cannot fill the logs of jobs that are not there, nor send what is no message', async () => {
    const { session, arrivals } = await joinRogue();
    session.write({
      logLines: [{ attempt: { ...attempt, jobId: 'job-9', kind: 'MAP' }, atMs: 1, text: 'x' }],
    });
    session.write({ heartbeat: { rssBytes: 2 ** 60 } });
    expect(await next(arrivals, (message) => message.refused !== '')).toMatchObject({
      refused: expect.stringMatching(/rss_bytes/),
    });
    await expect(target.client.get('job-9').logs().next()).rejects.toMatchObject({ code: 'not-found' });
  });

  it('fetches with its ticket what is of that job, and nothing of another', async () => {
    const { arrivals, leave } = await joinRogue();
    const handle = await target.submit('tickets');
    const { jobs } = await next(arrivals, (message) => message.jobs.length > 0);
    const { jobId, ticket } = jobs[0]!;
    const own = await fetch(jobId, ticket);
    expect(own.code).toBe('OK');
    const other = (await target.client.list()).at(-1)!.jobId;
    expect(await fetch(other, ticket)).toMatchObject({
      code: 'PERMISSION_DENIED',
      details: `the ticket is for job ${jobId}, not ${other}`,
      received: [],
    });
    const ping = await callRaw({
      address: target.worker.fetchAddress,
      method: methodNamed('Ping'),
      messages: [{ ticket }],
    });
    expect(ping).toMatchObject({ code: 'PERMISSION_DENIED', received: [] });
    await handle.cancel();
    await leave();
  });

  it('gets no ticket of a job that it was given nothing of, whatever it says to run', async () => {
    const { jobId } = (await target.client.list())[0]!;
    const { session, arrivals, leave } = await joinRogue({ running: [{ ...attempt, jobId }] });
    session.write({ reports: [{ attempt, failed: { kind: 'cancelled', message: '' } }] });
    let tickets: unknown[] = [];
    await next(arrivals, (message) => {
      tickets = [...tickets, ...message.tickets, ...message.jobs];
      return message.answers.length > 0;
    });
    expect(tickets).toEqual([]);
    await leave();
  });

  it('cannot write into the log of a task that it was not given', async () => {
    const { session, arrivals, leave } = await joinRogue();
    const { jobId } = (await target.client.list())[0]!;
    session.write({
      logLines: [{ attempt: { ...attempt, jobId }, atMs: 1, text: 'a lie' }],
      reports: [{ attempt, failed: { kind: 'cancelled', message: '' } }],
    });
    await next(arrivals, (message) => message.answers.length > 0);
    await expect(target.client.get(jobId).logs().next()).resolves.toEqual({ done: true, value: undefined });
    await leave();
  });

  function fetch(jobId: string, ticket: string) {
    const segments = [{ map: 0, attempt: 0, epoch: 1 }];
    const messages = [{ jobId, reduce: 0, segments, ticket }];
    return callRaw({ address: target.worker.fetchAddress, method: methodNamed('Fetch'), messages });
  }
});

describe('a fetch', () => {
  const clock = new ManualClock();
  const mine = makeTickets(clock);
  const foreign = makeTickets(clock);
  const jobId = toJobId('job-1');
  let server: ShuffleServer;

  beforeAll(async () => {
    server = await serveShuffle({
      listen: { host: '127.0.0.1', port: 0 },
      tls: undefined,
      outputs: new MapOutputs(),
      ticketKeys: mine.keys,
      workerId: () => toWorkerId('w1'),
      clock,
      log: createLog('test', 'silent'),
    });
  });
  afterAll(() => server.close());

  const call = (name: string, message: object) =>
    callRaw({ address: server.address, method: methodNamed(name), messages: [message] });
  const good = mine.issuer.ticketOf(jobId);

  it.each([
    ['no ticket', { jobId, ticket: '' }, 'UNAUTHENTICATED', /no ticket/],
    [
      'a ticket of another coordinator',
      { jobId, ticket: foreign.issuer.ticketOf(jobId) },
      'UNAUTHENTICATED',
      /not signed/,
    ],
    ['a ticket cut short', { jobId, ticket: good.slice(0, 40) }, 'UNAUTHENTICATED', /not signed/],
    [
      'a ticket of another job',
      { jobId: 'job-2', ticket: good },
      'PERMISSION_DENIED',
      /is for job job-1, not job-2/,
    ],
    ['a job that is a path', { jobId: '../../etc', ticket: good }, 'INVALID_ARGUMENT', /job id must match/],
    [
      'too many segments',
      { jobId, ticket: good, segments: new Array(limits.fetchSegmentsMax + 1).fill({ map: 1 }) },
      'RESOURCE_EXHAUSTED',
      /segments of one fetch/,
    ],
  ])('with %s is refused', async (_, message, code, details) => {
    expect(await call('Fetch', message)).toEqual({
      code,
      details: expect.stringMatching(details),
      received: [],
    });
  });

  it('that is far larger than any is refused before it is read, with a ticket or without', async () => {
    const segments = new Array(200_000).fill({ map: 0 });
    expect(await call('Fetch', { jobId, ticket: '', segments })).toMatchObject({
      code: 'RESOURCE_EXHAUSTED',
      received: [],
    });
  });

  it('of a partition that there is not, or of an attempt that was never there, gets no bytes', async () => {
    const segments = [{ map: 4_000_000_000, attempt: 1, epoch: 1 }];
    const { code, received } = await call('Fetch', { jobId, ticket: good, reduce: 4_000_000_000, segments });
    expect(code).toBe('OK');
    // One header that says missing, one that says end.
    expect(Buffer.concat(received as Buffer[])).toHaveLength(80);
  });

  it('with a ticket that is over is refused', async () => {
    clock.advance(limits.ticketLifetimeMs + limits.ticketLateMsMax + 1);
    const outcome = await call('Fetch', { jobId, ticket: good });
    expect(outcome).toEqual({
      code: 'UNAUTHENTICATED',
      details: expect.stringMatching(/is over/),
      received: [],
    });
  });

  it('a segment is read again only for who shows the ticket of its job, and names one', async () => {
    const segment = { map: 1, attempt: 0, epoch: 1 };
    const ticket = mine.issuer.ticketOf(jobId);
    expect(await call('Verify', { jobId, segment, ticket })).toMatchObject({
      code: 'OK',
      received: [{ found: false }],
    });
    const other = mine.issuer.ticketOf(toJobId('job-2'));
    expect(await call('Verify', { jobId, segment, ticket: other })).toMatchObject({
      code: 'PERMISSION_DENIED',
    });
    expect(await call('Verify', { jobId, segment })).toMatchObject({ code: 'UNAUTHENTICATED' });
    expect(await call('Verify', { jobId, ticket })).toMatchObject({ code: 'INVALID_ARGUMENT' });
    expect(await call('Verify', { jobId: '../x', segment, ticket })).toMatchObject({
      code: 'INVALID_ARGUMENT',
    });
  });

  it('a ping answers to the ticket of doctor alone', async () => {
    const ticket = mine.issuer.ticketOf(diagnoseJobId);
    expect(await call('Ping', { ticket })).toMatchObject({ code: 'OK', received: [{ worker: 'w1' }] });
    expect(await call('Ping', { ticket: mine.issuer.ticketOf(jobId) })).toMatchObject({
      code: 'PERMISSION_DENIED',
    });
    expect(await call('Ping', {})).toMatchObject({ code: 'UNAUTHENTICATED' });
  });
});
