/**
 * Snapshots keep the replay short: everything that the journal says up to an entry, in fewer records. When one is there the entries
 * before it go, but never the first one of an epoch: a coordinator that was deposed tries to append at exactly that place next, however late,
 * and nothing else would stop it (docs/decisions/0013).
 */
import { setImmediate as turnOfEventLoop } from 'node:timers/promises';
import pLimit from 'p-limit';
import { MillraceError } from '../lib/errors.ts';
import { failpoint } from '../lib/failpoints.ts';
import { limits } from '../lib/limits.ts';
import type { Log } from '../lib/log.ts';
import type { PersistRecord } from './core/effects.ts';
import type { JournalFolder } from './journal-chain.ts';
import { EntryEncoder, recordPieces, type SnapshotHead } from './journal-format.ts';

/** Encoded before others run: about a millisecond of work. */
const charsPerTurn = 128 * 1024;

/** The newest snapshot is written; everything that it makes needless is removed. Returns its size in bytes. */
export async function writeSnapshot(
  folder: JournalFolder,
  head: SnapshotHead,
  records: readonly PersistRecord[],
): Promise<number> {
  const encoder = new EntryEncoder(head);
  let charsInTurn = 0;
  for (const { text } of recordPieces(records)) {
    encoder.add(text);
    charsInTurn += text.length;
    if (charsInTurn < charsPerTurn) continue;
    await turnOfEventLoop();
    charsInTurn = 0;
  }
  const { bytes } = encoder.finish();
  // False when it is there: by an earlier try of this one, because no other coordinator ends where this one does.
  await folder.store.putIfAbsent(folder.snapshotKey(head.seq), bytes);
  return bytes.length;
}

/** Safe to repeat, and to be cut off anywhere. */
export async function trimJournal(folder: JournalFolder, head: SnapshotHead): Promise<void> {
  const kept = new Set(head.epochStarts);
  const entries = (await folder.entries()).filter((seq) => seq <= head.seq && !kept.has(seq));
  const snapshots = (await folder.snapshots()).filter((seq) => seq < head.seq);
  const keys = [
    ...entries.map((seq) => folder.entryKey(seq)),
    ...snapshots.map((seq) => folder.snapshotKey(seq)),
  ];
  const atOnce = pLimit(limits.journalReadsInFlightMax);
  await atOnce.map(keys, async (key) => {
    await folder.store.remove(key);
    failpoint('journal.trim-entry');
  });
}

/** Decides when a snapshot is worth its writing, and writes one at a time. */
export class Snapshots {
  readonly #folder: JournalFolder;
  readonly #log: Log;
  #writing: Promise<void> | undefined;
  #entriesSince: number;
  #bytesSince: number;
  #lastBytes: number;
  #isDueAtOnce: boolean;

  /** What was replayed, if anything, is compacted at the first occasion. */
  constructor(
    folder: JournalFolder,
    log: Log,
    replayed: { readonly entriesSince: number; readonly bytesSince: number; readonly snapshotBytes: number },
  ) {
    this.#folder = folder;
    this.#log = log;
    this.#entriesSince = replayed.entriesSince;
    this.#bytesSince = replayed.bytesSince;
    this.#lastBytes = replayed.snapshotBytes;
    this.#isDueAtOnce = replayed.entriesSince > 0;
  }

  appended(bytes: number): void {
    this.#entriesSince++;
    this.#bytesSince += bytes;
  }

  /** A large snapshot waits until the entries since are worth it, but replay stays bounded. */
  get isDue(): boolean {
    if (this.#writing) return false;
    if (this.#isDueAtOnce || this.#entriesSince >= limits.snapshotEntriesMax) return true;
    return this.#entriesSince >= limits.snapshotEntriesMin && this.#bytesSince * 4 >= this.#lastBytes;
  }

  /** In the background: a failure is said, and the next one tried when it falls due. */
  start(head: SnapshotHead, records: readonly PersistRecord[]): void {
    this.#isDueAtOnce = false;
    this.#entriesSince = 0;
    this.#bytesSince = 0;
    this.#writing = this.#write(head, records).finally(() => {
      this.#writing = undefined;
    });
  }

  async settled(): Promise<void> {
    await this.#writing;
  }

  async #write(head: SnapshotHead, records: readonly PersistRecord[]): Promise<void> {
    try {
      failpoint('journal.snapshot-before');
      this.#lastBytes = await writeSnapshot(this.#folder, head, records);
      failpoint('journal.snapshot-after');
      await trimJournal(this.#folder, head);
    } catch (thrown) {
      const { message } = MillraceError.from(thrown, 'store-failed');
      this.#log.warn(
        { error: message },
        'no snapshot of the journal, or its old entries stay: trying again later',
      );
    }
  }
}
