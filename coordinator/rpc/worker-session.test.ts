import { expect, test } from 'vitest';
import { ManualClock } from '../../lib/clock.ts';
import { type AttemptId, toJobId, toWorkerId } from '../../lib/ids.ts';
import type { JobSpec } from '../../lib/job-spec.ts';
import { limits } from '../../lib/limits.ts';
import type { CoordinatorMessage } from '../../proto/gen/millrace/v1/CoordinatorMessage.ts';
import { makeTickets } from '../../test/tickets.ts';
import { WorkerSession, type WorkerStream } from './worker-session.ts';

const workerId = toWorkerId('w1');
const jobId = toJobId('job-1');

function open() {
  const clock = new ManualClock();
  const { issuer, keys } = makeTickets(clock);
  const sent: CoordinatorMessage[] = [];
  const stream = {
    writable: true,
    cancelled: false,
    write: (message: CoordinatorMessage) => sent.push(message),
  };
  const settings = { epoch: 1, heartbeatIntervalMs: 1_000, tickets: issuer };
  const session = new WorkerSession(workerId, stream as unknown as WorkerStream, clock, settings);
  const assign = (index: number) => {
    const attempt: AttemptId = { jobId, kind: 'reduce', index, attempt: 0, epoch: 1 };
    session.send({ type: 'send-assignment', workerId, attempt, job, input: { kind: 'reduce', maps: 1 } });
  };
  return { clock, keys, sent, session, assign };
}

function openWelcomed() {
  const opened = open();
  opened.session.send({ type: 'send-welcome', workerId, jobs: [] });
  opened.sent.length = 0;
  return opened;
}
const job = { spec: { jobId } as JobSpec, cutPoints: [] };

test('a worker always has a ticket that is good, however long its job takes', () => {
  const { clock, keys, sent, assign } = openWelcomed();
  assign(0);
  clock.advance(100);
  let ticket = sent.flatMap(({ jobs }) => jobs ?? [])[0]?.ticket ?? '';
  let renewals = 0;
  for (let minute = 0; minute < 180; minute++) {
    sent.length = 0;
    clock.advance(60_000);
    for (const fresh of sent.flatMap(({ tickets }) => tickets ?? [])) {
      expect(fresh.jobId).toBe(jobId);
      ticket = fresh.ticket ?? '';
      renewals++;
    }
    keys.check(ticket, jobId);
  }
  expect(renewals).toBeLessThan((180 * 60_000) / (limits.ticketLifetimeMs / 5));
});

test('jobs that have ended, and sessions that are closed, get no tickets', () => {
  const ended = openWelcomed();
  ended.assign(0);
  ended.session.send({ type: 'send-job-ended', workerId, jobId });
  const closed = openWelcomed();
  closed.assign(0);
  closed.clock.advance(100);
  closed.session.close();
  for (const { clock, sent } of [ended, closed]) {
    clock.advance(limits.ticketLifetimeMs * 2);
    expect(sent.flatMap(({ tickets }) => tickets ?? [])).toEqual([]);
  }
});

test('what was decided before the hello of a stream was heard is not said there, and a job not taken for told', () => {
  const { clock, sent, session, assign } = open();
  assign(0);
  session.send({ type: 'send-rejoin', workerId });
  clock.advance(100);
  expect(sent).toEqual([]);
  session.send({ type: 'send-welcome', workerId, jobs: [] });
  assign(1);
  clock.advance(100);
  const { jobs, assignments } = sent.at(-1)!;
  expect(jobs?.map((one) => one.jobId)).toEqual([jobId]);
  expect(assignments?.map((one) => one.attempt?.index)).toEqual([1]);
});

test('a worker that comes back gets tickets for what it runs, after the welcome', () => {
  const { clock, keys, sent, session } = open();
  clock.advance(limits.ticketLifetimeMs);
  expect(sent).toEqual([]);
  session.send({ type: 'send-welcome', workerId, jobs: [jobId] });
  clock.advance(100);
  expect(sent).toEqual([
    { welcome: expect.anything() },
    expect.objectContaining({ tickets: [{ jobId, ticket: expect.any(String) }] }),
  ]);
  keys.check(sent[1]!.tickets![0]!.ticket!, jobId);
});
