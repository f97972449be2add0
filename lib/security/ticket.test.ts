import { generateKeyPairSync } from 'node:crypto';
import { expect, test } from 'vitest';
import { makeTickets } from '../../test/tickets.ts';
import { ManualClock } from '../clock.ts';
import { toJobId } from '../ids.ts';
import { limits } from '../limits.ts';
import { signTicket, TicketIssuer, TicketKeys, verifyTicket } from './ticket.ts';

const jobId = toJobId('job-1');
const pair = generateKeyPairSync('ed25519');
const claims = { jobId, epoch: 4, expiresAtMs: 10_000 };

test('a ticket verifies for its job, by any of the keys', () => {
  const other = generateKeyPairSync('ed25519');
  const ticket = signTicket(pair.privateKey, claims);
  const keys = [{ key: other.publicKey, nowMs: 0 }, ...knownAt(9_000)];
  expect(verifyTicket(keys, ticket, jobId)).toEqual(claims);
});

const payloadOf = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
const good = signTicket(pair.privateKey, claims);
const [payload, signature] = good.split('.') as [string, string];
const knownAt = (nowMs: number) => [{ key: pair.publicKey, nowMs }];

/** Its time of day can be set; its monotonic time cannot. */
class SetClock extends ManualClock {
  offMs: number;

  constructor(offMs: number) {
    super();
    this.offMs = offMs;
  }

  override now(): number {
    return super.now() + this.offMs;
  }
}

test.each([
  ['none', ''],
  ['no signature', payload],
  ['an empty signature', `${payload}.`],
  ['a signature of something else', `${payloadOf({ ...claims, expiresAtMs: 1e15 })}.${signature}`],
  ['another job under an old signature', `${payloadOf({ ...claims, jobId: 'job-2' })}.${signature}`],
  ['more than two parts', `${good}.x`],
  ['a changed byte', good.slice(0, -4) + (good.at(-4) === 'A' ? 'B' : 'A') + good.slice(-3)],
  ['a giant', `${payload}.${'A'.repeat(5_000)}`],
  ['no base64', '%%%.%%%'],
  ['another key', signTicket(generateKeyPairSync('ed25519').privateKey, claims)],
])('a ticket that is %s is unauthenticated', (_, ticket) => {
  const verify = () => verifyTicket(knownAt(9_000), ticket, jobId);
  expect(verify).toThrow(expect.objectContaining({ code: 'unauthenticated' }));
});

test('a ticket of another job is permission-denied and says which', () => {
  expect(() => verifyTicket(knownAt(9_000), good, toJobId('job-2'))).toThrow(
    expect.objectContaining({
      code: 'permission-denied',
      message: expect.stringMatching(/job-1, not job-2/),
    }),
  );
});

test('a ticket is good until it is over by more than clocks may run unevenly', () => {
  const lastMs = claims.expiresAtMs + limits.ticketLateMsMax;
  expect(verifyTicket(knownAt(lastMs), good, jobId)).toEqual(claims);
  expect(() => verifyTicket(knownAt(lastMs + 1), good, jobId)).toThrow(/over since 300 s.*no newer one/);
});

test('it does not matter how late it is by the clocks of the hosts, nor that they are set meanwhile', () => {
  const coordinator = new SetClock(0);
  const issuer = new TicketIssuer(coordinator, 1);
  coordinator.advance(1_000_000);
  const workers = [-3_600_000, 0, 3_600_000].map((offMs) => {
    const clock = new SetClock(offMs);
    const keys = new TicketKeys(clock);
    keys.add(issuer.key);
    return { clock, keys };
  });
  const ticket = issuer.ticketOf(jobId);
  const everyone = [coordinator, ...workers.map(({ clock }) => clock)];
  for (const [at, clock] of everyone.entries()) clock.offMs = (at - 2) * 7_200_000;
  for (const { keys } of workers) keys.check(ticket, jobId);
  for (const clock of everyone) clock.advance(limits.ticketLifetimeMs + limits.ticketLateMsMax);
  for (const { keys } of workers) keys.check(ticket, jobId);
  for (const clock of everyone) clock.advance(1);
  for (const { keys } of workers) expect(() => keys.check(ticket, jobId)).toThrow(/is over/);
  for (const { keys } of workers) keys.check(issuer.ticketOf(jobId), jobId);
});

test('a worker that is told the key again goes by what it was told last', () => {
  const coordinator = new ManualClock();
  const worker = new ManualClock();
  const issuer = new TicketIssuer(coordinator, 1);
  const keys = new TicketKeys(worker);
  keys.add(issuer.key);
  // The host of the coordinator slept, its clocks with it.
  worker.advance(2 * limits.ticketLifetimeMs);
  const ticket = issuer.ticketOf(jobId);
  expect(() => keys.check(ticket, jobId)).toThrow(/is over/);
  keys.add(issuer.key);
  keys.check(ticket, jobId);
});

test('an issuer gives each job one ticket for half a lifetime, and never one with less than half of it left', () => {
  const clock = new ManualClock();
  const { issuer, keys } = makeTickets(clock);
  const first = issuer.ticketOf(jobId);
  clock.advance(limits.ticketLifetimeMs / 2 - 1);
  expect(issuer.ticketOf(jobId)).toBe(first);
  clock.advance(1);
  const second = issuer.ticketOf(jobId);
  expect(second).not.toBe(first);
  keys.check(first, jobId);
  clock.advance(limits.ticketLifetimeMs / 2 + limits.ticketLateMsMax + 1);
  expect(() => keys.check(first, jobId)).toThrow(/over/);
  keys.check(second, jobId);
});

test('a worker believes the last three coordinators it joined', () => {
  const clock = new ManualClock();
  const keys = new TicketKeys(clock);
  const issuers = [1, 2, 3, 4].map((epoch) => new TicketIssuer(clock, epoch));
  for (const issuer of issuers) {
    keys.add(issuer.key);
    keys.add(issuer.key);
  }
  const tickets = issuers.map((issuer) => issuer.ticketOf(jobId));
  expect(() => keys.check(tickets[0]!, jobId)).toThrow(
    /not signed by a coordinator that this worker has joined/,
  );
  for (const ticket of tickets.slice(1)) keys.check(ticket, jobId);
});

test('a key that is none, or of another kind, is refused', () => {
  const keys = new TicketKeys(new ManualClock());
  const rsa = generateKeyPairSync('rsa', { modulusLength: 1_024 }).publicKey.export({
    type: 'spki',
    format: 'der',
  });
  expect(() => keys.add({ publicKey: rsa, nowMs: 0 })).toThrow(/not an Ed25519 key/);
  expect(() => keys.add({ publicKey: Buffer.from('no key'), nowMs: 0 })).toThrow(/cannot be read/);
});
