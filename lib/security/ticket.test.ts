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
  expect(verifyTicket([other.publicKey, pair.publicKey], ticket, jobId, 9_000)).toEqual(claims);
});

const payloadOf = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
const good = signTicket(pair.privateKey, claims);
const [payload, signature] = good.split('.') as [string, string];

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
  const verify = () => verifyTicket([pair.publicKey], ticket, jobId, 9_000);
  expect(verify).toThrow(expect.objectContaining({ code: 'unauthenticated' }));
});

test('a ticket of another job is permission-denied and says which', () => {
  expect(() => verifyTicket([pair.publicKey], good, toJobId('job-2'), 9_000)).toThrow(
    expect.objectContaining({
      code: 'permission-denied',
      message: expect.stringMatching(/job-1, not job-2/),
    }),
  );
});

test('a ticket is good until clocks that differ as much as they may agree that it is over', () => {
  const lastMs = claims.expiresAtMs + limits.ticketSkewMsMax;
  expect(verifyTicket([pair.publicKey], good, jobId, lastMs)).toEqual(claims);
  expect(() => verifyTicket([pair.publicKey], good, jobId, lastMs + 1)).toThrow(
    /over since 300 s.*millrace doctor/,
  );
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
  clock.advance(limits.ticketLifetimeMs / 2 + limits.ticketSkewMsMax + 1);
  expect(() => keys.check(first, jobId)).toThrow(/over/);
  keys.check(second, jobId);
});

test('a worker believes the last three coordinators it joined', () => {
  const clock = new ManualClock();
  const keys = new TicketKeys(clock);
  const issuers = [1, 2, 3, 4].map((epoch) => new TicketIssuer(clock, epoch));
  for (const issuer of issuers) {
    keys.add(issuer.publicKey);
    keys.add(issuer.publicKey);
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
  expect(() => keys.add(rsa)).toThrow(/not an Ed25519 key/);
  expect(() => keys.add(Buffer.from('no key'))).toThrow(/cannot be read/);
});
