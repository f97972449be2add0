/** What the journal holds: the newest snapshot and the entries after it, read and checked as a whole. */
import pLimit from 'p-limit';
import { MillraceError } from '../lib/errors.ts';
import { collectBytes } from '../lib/iterables.ts';
import { limits } from '../lib/limits.ts';
import type { Store, StoreLocation } from '../lib/store/store.ts';
import type { PersistRecord } from './core/effects.ts';
import { corrupt, decodeEntry, decodeSnapshot, type Entry, parseSeqName, seqName } from './journal-format.ts';

/** A leader may remove entries while they are read, but not so often. */
const readsMax = 5;

export class JournalFolder {
  readonly #location: StoreLocation;

  constructor(location: StoreLocation) {
    this.#location = location;
  }

  get store(): Store {
    return this.#location.store;
  }

  /** Of the chain: ends with `log/`. */
  get uri(): string {
    return `${this.#location.uri}log/`;
  }

  snapshotUri(seq: number): string {
    return `${this.#location.uri}snapshots/${seqName(seq)}`;
  }

  entryKey(seq: number): string {
    return `${this.#location.key}log/${seqName(seq)}`;
  }

  snapshotKey(seq: number): string {
    return `${this.#location.key}snapshots/${seqName(seq)}`;
  }

  /** Ascending. */
  entries(): Promise<number[]> {
    return this.#list('log/');
  }

  /** Ascending. To be asked for after {@link entries}: an entry is removed only when a snapshot has what it said. */
  snapshots(): Promise<number[]> {
    return this.#list('snapshots/');
  }

  async readEntry(seq: number): Promise<Entry> {
    const bytes = await collectBytes(this.store.read(this.entryKey(seq)));
    return decodeEntry(bytes, seq, `${this.uri}${seqName(seq)}`);
  }

  async readSnapshot(seq: number) {
    const bytes = await collectBytes(this.store.read(this.snapshotKey(seq)));
    return decodeSnapshot(bytes, seq, this.snapshotUri(seq));
  }

  async #list(folder: string): Promise<number[]> {
    const prefix = `${this.#location.key}${folder}`;
    const seqs: number[] = [];
    for await (const { key } of this.store.list(prefix)) {
      const seq = parseSeqName(key.slice(prefix.length));
      if (seq !== undefined) seqs.push(seq);
    }
    return seqs;
  }
}

/** Grows at its end only. */
export class Chain {
  readonly records: PersistRecord[] = [];
  /** The entries, ascending, that began an epoch. */
  readonly epochStarts: number[] = [];
  /** 0 for a new store. */
  lastSeq = 0;
  epoch = 0;
  /** Of the entry `lastSeq`: the next one names it. */
  lastCrc32 = 0;
  /** Of the newest snapshot; 0 without one. */
  snapshotSeq = 0;
  snapshotBytes = 0;
  /** Of the entries since. */
  bytesSince = 0;

  addSnapshot(snapshot: Awaited<ReturnType<JournalFolder['readSnapshot']>>): void {
    const { head, records, bytes } = snapshot;
    for (const record of records) this.records.push(record);
    this.epochStarts.push(...head.epochStarts);
    this.lastSeq = head.seq;
    this.snapshotSeq = head.seq;
    this.snapshotBytes = bytes;
    this.epoch = head.epoch;
    this.lastCrc32 = head.previous;
  }

  /** Throws `corrupt`, naming `uri`, when the entry was not written after the last one, or goes back to an earlier epoch. */
  addEntry({ head, records, bytes, crc32 }: Entry, uri: string): void {
    if (head.previous !== this.lastCrc32)
      throw corrupt(uri, 'it does not follow what is before it: one of the two is of another journal');
    if (head.epoch < this.epoch)
      throw corrupt(uri, `its epoch ${head.epoch} comes after epoch ${this.epoch}`);
    if (head.epoch > this.epoch) this.epochStarts.push(head.seq);
    for (const record of records) this.records.push(record);
    this.lastSeq = head.seq;
    this.epoch = head.epoch;
    this.lastCrc32 = crc32;
    this.bytesSince += bytes;
  }
}

/** Throws `corrupt` when an entry is missing or not whole, `wrong-state` for what another version wrote, and what the store throws. */
export async function readChain(folder: JournalFolder): Promise<Chain> {
  for (let reads = 1; ; reads++) {
    try {
      return await tryReadChain(folder);
    } catch (thrown) {
      const error = MillraceError.from(thrown, 'store-failed');
      if (error.code !== 'not-found' && error.code !== 'corrupt') throw error;
      // Listed, and gone: a leader wrote a snapshot meanwhile; a late candidate may even have filled the place anew. Or so it is, and stays so.
      if (reads < readsMax) continue;
      throw error.code === 'corrupt' ? error : corrupt(folder.uri, `an entry is missing (${error.message})`);
    }
  }
}

async function tryReadChain(folder: JournalFolder): Promise<Chain> {
  const last = (await folder.entries()).at(-1) ?? 0;
  const snapshotSeq = (await folder.snapshots()).at(-1);
  const chain = new Chain();
  if (snapshotSeq !== undefined) chain.addSnapshot(await readOwnSnapshot(folder, snapshotSeq));
  const seqs = Array.from({ length: Math.max(0, last - chain.lastSeq) }, (_, i) => chain.lastSeq + 1 + i);
  const atOnce = pLimit(limits.journalReadsInFlightMax);
  const entries = await Promise.allSettled(seqs.map((seq) => atOnce(() => folder.readEntry(seq))));
  entries.forEach((read, i) => {
    if (read.status === 'rejected') throw read.reason;
    chain.addEntry(read.value, `${folder.uri}${seqName(seqs[i] ?? 0)}`);
  });
  return chain;
}

/** Its writer led then, so it also wrote the entry that began the epoch, which is never removed. */
async function readOwnSnapshot(folder: JournalFolder, seq: number) {
  const snapshot = await folder.readSnapshot(seq);
  const began = await folder.readEntry(snapshot.head.epochStarts.at(-1) ?? 0);
  if (began.head.nonce === snapshot.head.nonce) return snapshot;
  const entry = `${folder.uri}${seqName(began.head.seq)}`;
  throw corrupt(
    folder.snapshotUri(seq),
    `it is not by the coordinator that wrote ${entry}: one of the two is of another journal`,
  );
}
