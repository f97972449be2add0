/**
 * What a worker shows to fetch from another one: the coordinator's word that it works on that job. Signed (Ed25519) with a key made at
 * each start of the coordinator, whose public half every worker is told in its welcome.
 *
 *   ticket = base64url(JSON {jobId, epoch, expiresAtMs}) '.' base64url(signature of those characters)
 */
import { createPublicKey, generateKeyPairSync, type KeyObject, sign, verify } from 'node:crypto';
import type { Clock } from '../clock.ts';
import { MillraceError } from '../errors.ts';
import { type JobId, toJobId } from '../ids.ts';
import { limits } from '../limits.ts';

export interface TicketClaims {
  readonly jobId: JobId;
  readonly epoch: number;
  readonly expiresAtMs: number;
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
export function verifyTicket(
  publicKeys: readonly KeyObject[],
  ticket: string,
  jobId: JobId,
  nowMs: number,
): TicketClaims {
  const [payload = '', signature = '', ...rest] = ticket.split('.');
  if (ticket === '') throw new MillraceError('unauthenticated', 'no ticket was shown');
  const isSigned =
    ticket.length <= limits.ticketCharsMax &&
    rest.length === 0 &&
    publicKeys.some((key) => verify(null, Buffer.from(payload), key, Buffer.from(signature, 'base64url')));
  if (!isSigned) {
    throw new MillraceError(
      'unauthenticated',
      'the ticket was not signed by a coordinator that this worker has joined',
    );
  }
  const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as TicketClaims;
  const lateMs = nowMs - claims.expiresAtMs;
  if (lateMs > limits.ticketSkewMsMax) {
    throw new MillraceError(
      'unauthenticated',
      `the ticket is over since ${Math.round(lateMs / 1_000)} s by the clock of this worker; ` +
        `clocks may differ by ${limits.ticketSkewMsMax / 1_000} s (millrace doctor shows them)`,
    );
  }
  if (claims.jobId !== jobId) {
    throw new MillraceError('permission-denied', `the ticket is for job ${claims.jobId}, not ${jobId}`);
  }
  return claims;
}

/** The coordinator's side: one key pair per start, one ticket per job for half of its lifetime. */
export class TicketIssuer {
  /** SPKI, DER. */
  readonly publicKey: Buffer;
  readonly #privateKey: KeyObject;
  readonly #clock: Clock;
  readonly #epoch: number;
  readonly #issued = new Map<JobId, { readonly ticket: string; readonly renewAtMs: number }>();

  constructor(clock: Clock, epoch: number) {
    const { publicKey, privateKey } = generateKeyPairSync('ed25519');
    this.publicKey = publicKey.export({ type: 'spki', format: 'der' });
    this.#privateKey = privateKey;
    this.#clock = clock;
    this.#epoch = epoch;
  }

  /** Good for at least half a lifetime from now. */
  ticketOf(jobId: JobId): string {
    const now = this.#clock.now();
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
  #known: readonly { readonly der: Buffer; readonly key: KeyObject }[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Throws `invalid-argument` for bytes that are no Ed25519 key. */
  add(der: Uint8Array): void {
    if (this.#known.some((known) => known.der.equals(der))) return;
    const copy = Buffer.from(der);
    this.#known = [{ der: copy, key: parseKey(copy) }, ...this.#known].slice(0, keysMax);
  }

  /** Throws as {@link verifyTicket} does. */
  check(ticket: string, jobId: JobId): void {
    verifyTicket(
      this.#known.map(({ key }) => key),
      ticket,
      jobId,
      this.#clock.now(),
    );
  }
}

const keysMax = 3;

function parseKey(der: Buffer): KeyObject {
  try {
    const key = createPublicKey({ key: der, format: 'der', type: 'spki' });
    if (key.asymmetricKeyType === 'ed25519') return key;
  } catch (cause) {
    throw new MillraceError('invalid-argument', "the coordinator's ticket key cannot be read", { cause });
  }
  throw new MillraceError('invalid-argument', "the coordinator's ticket key is not an Ed25519 key");
}
