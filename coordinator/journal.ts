/**
 * Where durable decisions go before their effects run: one chain of create-only objects, `log/<seq>`, in the coordinator's store. Whoever
 * creates the next object leads. A coordinator that was thought dead and comes back finds its next place taken and stops, so
 * no lease and no clock decides who may write. The format is in docs/on-disk.md.
 */
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { setImmediate as turnOfEventLoop } from 'node:timers/promises';
import type { Clock } from '../lib/clock.ts';
import { MillraceError } from '../lib/errors.ts';
import { failpoint } from '../lib/failpoints.ts';
import { limits } from '../lib/limits.ts';
import type { Log } from '../lib/log.ts';
import type { StoreLocation } from '../lib/store/store.ts';
import type { PersistRecord } from './core/effects.ts';
import { Fence } from './fence.ts';
import { Chain, JournalFolder, readChain } from './journal-chain.ts';
import {
  type EncodedEntry,
  EntryEncoder,
  type EntryHead,
  encodeEntry,
  journalVersion,
  recordPieces,
  seqName,
} from './journal-format.ts';
import { Snapshots } from './journal-snapshots.ts';

export interface Journal {
  /** Of this start of the coordinator; greater than that of any start before it on the same store. */
  readonly epoch: number;
  /** Resolves when all records are durable, in order. Throws when they may not be: the coordinator then stops. */
  append(records: readonly PersistRecord[]): Promise<void>;
}

export interface JournalPorts {
  readonly clock: Clock;
  readonly log: Log;
  /** After which silence another one may take the lead; default as that of a coordinator. */
  readonly leaseMs?: number;
}

/** Whether the lead may be taken from whoever began `lastEpoch`, the last one of the chain; 0 on a new store. */
export type MayLead = (lastEpoch: number) => boolean;

/**
 * Waits between tries to append one entry, a minute in all: a store that is restarted is waited for. After the last one the coordinator
 * stops rather than act on what may be lost.
 */
const retryMs = [100, 300, 1_000, 3_000, ...new Array<number>(11).fill(5_000)];
/** Others take the next place in the chain at most so often before this start gives up. */
const opensMax = 100;

export class StoreJournal implements Journal {
  readonly nonce: string = randomUUID();
  readonly #folder: JournalFolder;
  readonly #ports: JournalPorts;
  readonly #fence: Fence;
  #chain = new Chain();
  #snapshots: Snapshots | undefined;

  private constructor(location: StoreLocation, ports: JournalPorts) {
    this.#folder = new JournalFolder(location);
    this.#ports = ports;
    const { clock, leaseMs = limits.heartbeatTimeoutMsDefault } = ports;
    this.#fence = new Fence(location, clock, leaseMs / 3);
  }

  /**
   * Reads the journal and takes the lead on the store: whoever led before cannot append any more. Throws, naming `--store`, what the store
   * throws, and `corrupt` or `wrong-state` for a journal that cannot be read; then nothing was changed.
   */
  static async open(location: StoreLocation, ports: JournalPorts): Promise<StoreJournal> {
    for (let opens = 0; opens < opensMax; opens++) {
      const journal = await StoreJournal.openIf(location, ports, () => true);
      if (journal) return journal;
    }
    throw new MillraceError(
      'unavailable',
      `the journal cannot be opened (--store): ${opensMax} other coordinators wrote to ${location.uri}log/ meanwhile`,
    );
  }

  /** As {@link open}, but undefined when it may not lead, or when somebody else wrote to the journal meanwhile. */
  static async openIf(
    location: StoreLocation,
    ports: JournalPorts,
    mayLead: MayLead,
  ): Promise<StoreJournal | undefined> {
    const journal = new StoreJournal(location, ports);
    try {
      return (await journal.#takeLead(mayLead)) ? journal : undefined;
    } catch (error) {
      const { code, message } = MillraceError.from(error, 'store-failed');
      throw new MillraceError(code, `the journal cannot be opened (--store): ${message}`, { cause: error });
    }
  }

  get epoch(): number {
    return this.#chain.epoch;
  }

  /** All records of those who led before, in order. Once: they are forgotten here. */
  takeReplayed(): PersistRecord[] {
    return this.#chain.records.splice(0);
  }

  async append(records: readonly PersistRecord[]): Promise<void> {
    let encoder: EntryEncoder | undefined;
    for (const { text, endsEntry } of recordPieces(records)) {
      encoder ??= new EntryEncoder(this.#nextHead());
      encoder.add(text);
      if (endsEntry) {
        await this.#appendEntry(encoder.finish());
        encoder = undefined;
      } else await turnOfEventLoop();
    }
  }

  async #appendEntry({ bytes, crc32 }: EncodedEntry): Promise<void> {
    const seq = this.#chain.lastSeq + 1;
    failpoint('journal.append-before');
    const other = await this.#put(seq, bytes, retryMs);
    if (other) throw anotherLeads(`${this.#folder.uri}${seqName(seq)}`, this.epoch, other);
    this.#chain.lastSeq = seq;
    this.#chain.lastCrc32 = crc32;
    failpoint('journal.append-after');
    this.#snapshots?.appended(bytes.length);
  }

  /**
   * Throws `wrong-state` when another coordinator has taken the lead, `store-failed` when that cannot be seen, and what the store throws.
   * Who is told that it leads may be deposed a moment later: only an append decides.
   */
  async confirmLead(): Promise<void> {
    const { lastSeq } = this.#chain;
    // Of its own there is one at most, an append that is under way. A successor's first entry is never removed.
    for (const seq of (await this.#folder.entries()).filter((one) => one > lastSeq)) {
      const other = await this.#readOther(seq).catch((thrown: unknown) => {
        if (!(thrown instanceof MillraceError) || thrown.code !== 'corrupt') throw thrown;
        // Read badly, or written badly by whoever it was: in time an append says which.
        const message = `whether another coordinator leads cannot be seen: ${thrown.message}`;
        throw new MillraceError('store-failed', message, { cause: thrown });
      });
      // Removed since it was listed: there is more to see.
      if (other === 'trimmed') return this.confirmLead();
      if (other) throw anotherLeads(`${this.#folder.uri}${seqName(seq)}`, this.epoch, other);
    }
  }

  /** Whether {@link snapshot} should be called now. */
  get isSnapshotDue(): boolean {
    return this.#snapshots?.isDue ?? false;
  }

  /**
   * Takes what replaces all records that were replayed and appended so far, so nothing may have been decided since the last append.
   * It is written in the background; a failure costs only the length of the next replay.
   */
  snapshot(records: readonly PersistRecord[]): void {
    const { lastSeq, lastCrc32, epochStarts } = this.#chain;
    const head = this.#head(lastSeq, this.epoch, lastCrc32);
    this.#snapshots?.start({ ...head, epochStarts: [...epochStarts] }, records);
  }

  /** Resolves when no snapshot is being written. */
  async close(): Promise<void> {
    await this.#snapshots?.settled();
  }

  async #takeLead(mayLead: MayLead): Promise<boolean> {
    const chain = await readChain(this.#folder);
    if (!mayLead(chain.epoch)) return false;
    const head = this.#head(chain.lastSeq + 1, chain.epoch + 1, chain.lastCrc32);
    const { bytes, crc32 } = encodeEntry(head, []);
    failpoint('lead.epoch-before');
    if (await this.#put(head.seq, bytes, [])) return false;
    if (!(await this.#isLast(head.seq))) return false;
    this.#fence.set(this.#folder.entryKey(head.seq), bytes);
    await this.#fence.prove();
    failpoint('lead.epoch-after');
    const entriesSince = chain.lastSeq - chain.snapshotSeq;
    this.#snapshots = new Snapshots(this.#folder, this.#ports.log, { ...chain, entriesSince });
    chain.addEntry({ head, records: [], bytes: bytes.length, crc32 }, this.#folder.uri);
    this.#chain = chain;
    return true;
  }

  /**
   * The place may have been free only because a leader that went on meanwhile had filled it and removed it again, with a snapshot: then
   * that snapshot is there.
   */
  async #isLast(seq: number): Promise<boolean> {
    const last = (await this.#folder.entries()).at(-1) ?? 0;
    const snapshot = (await this.#folder.snapshots()).at(-1) ?? 0;
    return last === seq && snapshot < seq;
  }

  #nextHead(): EntryHead {
    return this.#head(this.#chain.lastSeq + 1, this.epoch, this.#chain.lastCrc32);
  }

  #head(seq: number, epoch: number, previous: number): EntryHead {
    const { nonce } = this;
    return { version: journalVersion, seq, epoch, nonce, previous, host: hostname(), pid: process.pid };
  }

  /** Undefined when the entry is there and ours; otherwise whose it is. */
  async #put(
    seq: number,
    bytes: Buffer,
    waitsMs: readonly number[],
  ): Promise<EntryHead | 'trimmed' | undefined> {
    if (await this.#putSettled(this.#folder.entryKey(seq), bytes, waitsMs)) return undefined;
    return this.#readOther(seq);
  }

  /** Who wrote an entry that is there; undefined when it is ours. */
  async #readOther(seq: number): Promise<EntryHead | 'trimmed' | undefined> {
    try {
      const { head } = await this.#folder.readEntry(seq);
      return head.nonce === this.nonce ? undefined : head;
    } catch (error) {
      // It was there a moment ago: only who leads since removes entries. Whether it was ours makes no difference to who was deposed.
      if (MillraceError.from(error).code === 'not-found') return 'trimmed';
      throw error;
    }
  }

  /** A put whose answer was lost is tried again: then the place is taken, and reading tells by whom. */
  async #putSettled(key: string, bytes: Uint8Array, waitsMs: readonly number[]): Promise<boolean> {
    const { clock, log } = this.#ports;
    for (const waitMs of waitsMs) {
      try {
        return await this.#create(key, bytes);
      } catch (error) {
        const { retryable, message } = MillraceError.from(error, 'store-failed');
        if (!retryable) throw error;
        log.warn(
          { error: message, waitMs },
          'nothing can be decided: the journal cannot be written; trying again',
        );
      }
      await new Promise<void>((resolve) => clock.after(waitMs, resolve));
    }
    return await this.#create(key, bytes);
  }

  async #create(key: string, bytes: Uint8Array): Promise<boolean> {
    await this.#fence.prove();
    const isNew = await this.#folder.store.putIfAbsent(key, bytes);
    // This process may have stood still in between.
    if (isNew) await this.#fence.prove();
    return isNew;
  }
}

function anotherLeads(uri: string, epoch: number, other: EntryHead | 'trimmed'): MillraceError {
  const what =
    other === 'trimmed'
      ? `${uri} was there and has been removed by a coordinator which`
      : `${uri} was written by process ${other.pid} on ${other.host} (epoch ${other.epoch}), which`;
  return new MillraceError(
    'wrong-state',
    `another coordinator leads: ${what} took the lead after this one (epoch ${epoch}) fell silent`,
  );
}
