/**
 * What a worker shows to fetch from another one: the coordinator's word that it works on that job. Signed (Ed25519) with a key made at
 * each start of the coordinator, whose public half every worker is told in its welcome.
 *
 *   ticket = base64url(JSON {jobId, epoch, expiresAtMs}) '.' base64url(signature of those characters)
 *
 * Times are on the clock of the key, which begins at 0 when the key is made: workers are told how late it is with the key, and count on by
 * themselves. So no two hosts need to agree about the time of day.
 */
import { createPublicKey, generateKeyPairSync, type KeyObject, sign, verify } from 'node:crypto';
import type { Clock } from '../clock.ts';
import { MillraceError } from '../errors.ts';
import { type JobId, toJobId } from '../ids.ts';
import { limits } from '../limits.ts';

export interface TicketClaims {
  readonly jobId: JobId;
  readonly epoch: number;
  /** On the clock of the key. */
  readonly expiresAtMs: number;
}

/** What a coordinator tells of its key. */
export interface TicketKey {
  /** SPKI, DER. */
  readonly publicKey: Uint8Array;
  /** How late it is on the clock of the key. */
  readonly nowMs: number;
}

/** One that a worker was told. */
export interface KnownKey {
  readonly key: KeyObject;
  /** As {@link TicketKey.nowMs}, now. */
  readonly nowMs: number;
}

/** Stands for a job in the tickets of `millrace doctor`; the ids of jobs are UUIDs. */
export const diagnoseJobId = toJobId('diagnose');

export function signTicket(privateKey: KeyObject, claims: TicketClaims): string {
  const payload = Buffer.from(JSON.stringify(claims)).toString('base64url');
  return `${payload}.${sign(null, Buffer.from(payload), privateKey).toString('base64url')}`;
}

/**
 * Throws `unauthenticated` for a ticket that none of the keys signed, or that is over; `permission-denied` for one of another job.
 * The claims of a ticket that passes were written by a coordinator.
 */
export function verifyTicket(keys: readonly KnownKey[], ticket: string, jobId: JobId): TicketClaims {
  const [payload = '', signature = '', ...rest] = ticket.split('.');
  if (ticket === '') throw new MillraceError('unauthenticated', 'no ticket was shown');
  const isTicket = ticket.length <= limits.ticketCharsMax && rest.length === 0;
  const signed = (key: KeyObject) =>
    verify(null, Buffer.from(payload), key, Buffer.from(signature, 'base64url'));
  const signer = isTicket ? keys.find(({ key }) => signed(key)) : undefined;
  if (!signer) {
    throw new MillraceError(
      'unauthenticated',
      'the ticket was not signed by a coordinator that this worker has joined',
    );
  }
  const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as TicketClaims;
  const lateMs = signer.nowMs - claims.expiresAtMs;
  if (lateMs > limits.ticketLateMsMax) {
    throw new MillraceError(
      'unauthenticated',
      `the ticket is over since ${Math.round(lateMs / 1_000)} s: who shows it has heard of no newer one from its coordinator`,
    );
  }
  if (claims.jobId !== jobId) {
    throw new MillraceError('permission-denied', `the ticket is for job ${claims.jobId}, not ${jobId}`);
  }
  return claims;
}

/** The coordinator's side: one key pair per start, one ticket per job for half of its lifetime. */
export class TicketIssuer {
  readonly #publicKey: Buffer;
  readonly #privateKey: KeyObject;
  readonly #clock: Clock;
  readonly #epoch: number;
  readonly #madeAtMs: number;
  readonly #issued = new Map<JobId, { readonly ticket: string; readonly renewAtMs: number }>();

  constructor(clock: Clock, epoch: number) {
    const { publicKey, privateKey } = generateKeyPairSync('ed25519');
    this.#publicKey = publicKey.export({ type: 'spki', format: 'der' });
    this.#privateKey = privateKey;
    this.#clock = clock;
    this.#epoch = epoch;
    this.#madeAtMs = clock.monotonicMs();
  }

  /** For whoever is to check tickets, at once: it says how late it is. */
  get key(): TicketKey {
    return { publicKey: this.#publicKey, nowMs: this.#nowMs };
  }

  get #nowMs(): number {
    return Math.floor(this.#clock.monotonicMs() - this.#madeAtMs);
  }

  /** Good for at least half a lifetime from now. */
  ticketOf(jobId: JobId): string {
    const now = this.#nowMs;
    const issued = this.#issued.get(jobId);
    if (issued && now < issued.renewAtMs) return issued.ticket;
    const expiresAtMs = now + limits.ticketLifetimeMs;
    const ticket = signTicket(this.#privateKey, { jobId, epoch: this.#epoch, expiresAtMs });
    this.#issued.set(jobId, { ticket, renewAtMs: now + limits.ticketLifetimeMs / 2 });
    this.#forgetOld(now);
    return ticket;
  }

  /** Jobs that still run renew theirs; the others' go. */
  #forgetOld(now: number): void {
    for (const [jobId, { renewAtMs }] of this.#issued) if (renewAtMs <= now) this.#issued.delete(jobId);
  }
}

/** The worker's side: the keys of the coordinators it joined last. A restarted coordinator has a new one; workers hear of it one by one. */
export class TicketKeys {
  readonly #clock: Clock;
  #known: readonly HeardKey[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Just told; for one that is known, how late it is. Throws `invalid-argument` for bytes that are no Ed25519 key. */
  add({ publicKey, nowMs }: TicketKey): void {
    const madeAtMs = this.#clock.monotonicMs() - nowMs;
    const known = this.#known.find(({ der }) => der.equals(publicKey));
    const der = known?.der ?? Buffer.from(publicKey);
    const heard = { der, key: known?.key ?? parseKey(der), madeAtMs };
    this.#known = [heard, ...this.#known.filter((other) => other !== known)].slice(0, keysMax);
  }

  /** Throws as {@link verifyTicket} does. */
  check(ticket: string, jobId: JobId): void {
    const monotonicMs = this.#clock.monotonicMs();
    const keys = this.#known.map(({ key, madeAtMs }) => ({ key, nowMs: monotonicMs - madeAtMs }));
    verifyTicket(keys, ticket, jobId);
  }
}

const keysMax = 3;

interface HeardKey {
  readonly der: Buffer;
  readonly key: KeyObject;
  /** By the monotonic clock of this process. */
  readonly madeAtMs: number;
}

function parseKey(der: Buffer): KeyObject {
  try {
    const key = createPublicKey({ key: der, format: 'der', type: 'spki' });
    if (key.asymmetricKeyType === 'ed25519') return key;
  } catch (cause) {
    throw new MillraceError('invalid-argument', "the coordinator's ticket key cannot be read", { cause });
  }
  throw new MillraceError('invalid-argument', "the coordinator's ticket key is not an Ed25519 key");
}
