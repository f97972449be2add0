/**
 * Where durable decisions go before their effects run: one chain of create-only objects, `log/<seq>`, in the coordinator's store. Whoever
 * creates the next object leads. A coordinator that was thought dead and comes back finds its next place taken and stops, so
 * no lease and no clock decides who may write. The format is in docs/on-disk.md.
 */
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { Clock } from '../lib/clock.ts';
import { MillraceError } from '../lib/errors.ts';
import { collectBytes } from '../lib/iterables.ts';
import { limits } from '../lib/limits.ts';
import type { Log } from '../lib/log.ts';
import type { Store, StoreLocation } from '../lib/store/store.ts';
import type { PersistRecord } from './core/effects.ts';

export interface Journal {
  /** Of this start of the coordinator; greater than that of any start before it on the same store. */
  readonly epoch: number;
  /** Resolves when all records are durable, in order. Throws when they may not be: the coordinator then stops. */
  append(records: readonly PersistRecord[]): Promise<void>;
}

export interface JournalPorts {
  readonly clock: Clock;
  readonly log: Log;
}

/** The first line of an entry. */
interface EntryHead {
  readonly version: 1;
  readonly seq: number;
  readonly epoch: number;
  /** Of the start that wrote it: tells an own entry from another's when the answer to a put was lost. */
  readonly nonce: string;
  readonly host: string;
  readonly pid: number;
}

const seqDigits = 12;
const headBytesMax = 4_096;
/**
 * Waits between tries to append one entry, a minute in all: a store that is restarted is waited for. After the last one the coordinator
 * stops rather than act on what may be lost.
 */
const retryMs = [100, 300, 1_000, 3_000, ...new Array<number>(11).fill(5_000)];
/** Starts at the same moment take each other's place in the chain at most so often. */
const opensMax = 100;

export class StoreJournal implements Journal {
  readonly #store: Store;
  /** Of the chain: ends with `log/`. */
  readonly #prefix: string;
  readonly #uri: string;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #nonce = randomUUID();
  #epoch = 0;
  #lastSeq = 0;

  private constructor({ store, key, uri }: StoreLocation, { clock, log }: JournalPorts) {
    this.#store = store;
    this.#prefix = `${key}log/`;
    this.#uri = `${uri}log/`;
    this.#clock = clock;
    this.#log = log;
  }

  /** Takes the lead on the store: whoever led before cannot append any more. Throws what the store throws, naming `--store`. */
  static async open(location: StoreLocation, ports: JournalPorts): Promise<StoreJournal> {
    const journal = new StoreJournal(location, ports);
    try {
      await journal.#takeLead();
      return journal;
    } catch (error) {
      const { code, message } = MillraceError.from(error, 'store-failed');
      throw new MillraceError(code, `the journal cannot be opened (--store): ${message}`, { cause: error });
    }
  }

  get epoch(): number {
    return this.#epoch;
  }

  async append(records: readonly PersistRecord[]): Promise<void> {
    for (const body of entryBodies(records)) {
      const seq = this.#lastSeq + 1;
      const other = await this.#put(seq, body, retryMs);
      if (other) throw anotherLeads(`${this.#uri}${seqName(seq)}`, this.#epoch, other);
      this.#lastSeq = seq;
    }
  }

  async #takeLead(): Promise<void> {
    for (let tries = 0; tries < opensMax; tries++) {
      const last = await this.#findLast();
      const seq = (last?.seq ?? 0) + 1;
      this.#epoch = (last?.epoch ?? 0) + 1;
      this.#lastSeq = seq;
      if ((await this.#put(seq, '', [])) === undefined) return;
    }
    throw new MillraceError(
      'unavailable',
      `${opensMax} other coordinators started on ${this.#uri} meanwhile`,
    );
  }

  async #findLast(): Promise<EntryHead | undefined> {
    let last: string | undefined;
    for await (const { key } of this.#store.list(this.#prefix)) {
      if (isSeqName(key.slice(this.#prefix.length))) last = key;
    }
    return last === undefined ? undefined : this.#readHead(last);
  }

  /** Undefined when the entry is there and ours; otherwise whose it is. */
  async #put(seq: number, body: string, waitsMs: readonly number[]): Promise<EntryHead | undefined> {
    const key = `${this.#prefix}${seqName(seq)}`;
    const head: EntryHead = {
      version: 1,
      seq,
      epoch: this.#epoch,
      nonce: this.#nonce,
      host: hostname(),
      pid: process.pid,
    };
    const bytes = Buffer.from(`${JSON.stringify(head)}\n${body}`);
    if (await this.#putSettled(key, bytes, waitsMs)) return undefined;
    const there = await this.#readHead(key);
    return there.nonce === this.#nonce ? undefined : there;
  }

  /** A put whose answer was lost is tried again: then the place is taken, and reading tells by whom. */
  async #putSettled(key: string, bytes: Uint8Array, waitsMs: readonly number[]): Promise<boolean> {
    for (const waitMs of waitsMs) {
      try {
        return await this.#store.putIfAbsent(key, bytes);
      } catch (error) {
        const { retryable, message } = MillraceError.from(error, 'store-failed');
        if (!retryable) throw error;
        this.#log.warn(
          { error: message, waitMs },
          'nothing can be decided: the journal cannot be written; trying again',
        );
      }
      await new Promise<void>((resolve) => this.#clock.after(waitMs, resolve));
    }
    return await this.#store.putIfAbsent(key, bytes);
  }

  async #readHead(key: string): Promise<EntryHead> {
    const text = (await collectBytes(this.#store.read(key, { end: headBytesMax }))).toString();
    return parseHead(text.slice(0, text.indexOf('\n')), key);
  }
}

/** Whole records, a JSON object a line, in pieces of bounded size; a single record that is larger is a piece of its own. */
function* entryBodies(records: readonly PersistRecord[]): Generator<string> {
  let body = '';
  for (const record of records) {
    const line = `${JSON.stringify(record)}\n`;
    if (body !== '' && body.length + line.length > limits.journalEntryCharsMax) {
      yield body;
      body = '';
    }
    body += line;
  }
  if (body !== '') yield body;
}

function seqName(seq: number): string {
  return String(seq).padStart(seqDigits, '0');
}

function isSeqName(name: string): boolean {
  return name.length === seqDigits && /^\d+$/.test(name);
}

function parseHead(line: string, key: string): EntryHead {
  try {
    const head = JSON.parse(line) as EntryHead;
    const isOurs = head.version === 1 && Number.isSafeInteger(head.seq) && Number.isSafeInteger(head.epoch);
    if (isOurs && typeof head.nonce === 'string') return head;
  } catch {
    // Not JSON: the same as JSON of something else.
  }
  throw new MillraceError('corrupt', `${key} is not a journal entry of this version of Millrace`);
}

function anotherLeads(uri: string, epoch: number, other: EntryHead): MillraceError {
  return new MillraceError(
    'wrong-state',
    `another coordinator leads: ${uri} was written by process ${other.pid} on ${other.host} (epoch ${other.epoch}), which ` +
      `started after this one (epoch ${epoch}); run one coordinator per --store`,
  );
}
