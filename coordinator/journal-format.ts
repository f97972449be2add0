/**
 * How entries and snapshots of the journal are written: JSON lines, first who wrote it, then the records, last a checksum of all before
 * it. So an object that was cut off or changed is never taken for a whole one. Frozen; docs/on-disk.md tells the same.
 */
import { crc32 } from 'node:zlib';
import { MillraceError } from '../lib/errors.ts';
import { limits } from '../lib/limits.ts';
import type { PersistRecord } from './core/effects.ts';

/** The first line. */
export interface EntryHead {
  readonly version: typeof journalVersion;
  readonly seq: number;
  readonly epoch: number;
  /** Of the start that wrote it: tells an own entry from another's when the answer to a put was lost. */
  readonly nonce: string;
  /** The checksum of the entry before, 0 in the first one; in a snapshot that of entry `seq`. So what is of another journal never fits in. */
  readonly previous: number;
  readonly host: string;
  readonly pid: number;
}

export interface SnapshotHead extends EntryHead {
  /** The entries, ascending, that began an epoch, up to `seq`: those are never removed. */
  readonly epochStarts: readonly number[];
}

export interface Entry {
  readonly head: EntryHead;
  readonly records: readonly PersistRecord[];
  readonly bytes: number;
  /** In its last line. */
  readonly crc32: number;
}

export interface Snapshot extends Entry {
  readonly head: SnapshotHead;
}

export const journalVersion = 3;
const seqDigits = 12;
/** About 200 KB of JSON: a millisecond of work. */
const splitsPerPiece = 1_000;
const newline = 0x0a;

/** All there are: what another version wrote is refused, not skipped. */
const recordTypes: Readonly<Record<PersistRecord['type'], true>> = {
  'job-accepted': true,
  'job-planned': true,
  'job-sampled': true,
  'job-started': true,
  'part-opened': true,
  'part-accepted': true,
  'part-revoked': true,
  'task-charged': true,
  'attempt-failed': true,
  'map-differed': true,
  'job-committing': true,
  'job-stopping': true,
  'job-ended': true,
  'worker-joined': true,
  'worker-gone': true,
};

export function seqName(seq: number): string {
  return String(seq).padStart(seqDigits, '0');
}

/** Undefined for a name that is none of ours. */
export function parseSeqName(name: string): number | undefined {
  return name.length === seqDigits && /^\d+$/.test(name) ? Number(name) : undefined;
}

/** Lines of an entry or snapshot, or a part of one line. */
export interface Piece {
  readonly text: string;
  /** What comes next may be in an entry of its own. */
  readonly endsEntry: boolean;
}

/**
 * Records, a JSON object a line, in pieces of bounded size that can be encoded with other work between them: the plan of a large job is ten
 * megabytes, and is made part by part. Entries hold whole records; a single one that is larger than they should be has its own.
 */
export function* recordPieces(records: readonly PersistRecord[]): Generator<Piece> {
  let text = '';
  for (const record of records) {
    const isLarge = record.type === 'job-planned' && record.splits.length > splitsPerPiece;
    const line = isLarge ? '' : `${JSON.stringify(record)}\n`;
    if (text !== '' && (isLarge || text.length + line.length > limits.journalEntryCharsMax)) {
      yield { text, endsEntry: true };
      text = '';
    }
    text += line;
    if (isLarge) yield* planPieces(record);
  }
  if (text !== '') yield { text, endsEntry: true };
}

/** The same bytes as from JSON.stringify(). */
function* planPieces(record: Extract<PersistRecord, { type: 'job-planned' }>): Generator<Piece> {
  const { splits, ...rest } = record;
  yield { text: `${JSON.stringify(rest).slice(0, -1)},"splits":[`, endsEntry: false };
  for (let at = 0; at < splits.length; at += splitsPerPiece) {
    const list = JSON.stringify(splits.slice(at, at + splitsPerPiece)).slice(1, -1);
    yield { text: at === 0 ? list : `,${list}`, endsEntry: false };
  }
  yield { text: ']}\n', endsEntry: true };
}

export interface EncodedEntry {
  readonly bytes: Buffer;
  /** In its last line. */
  readonly crc32: number;
}

/** An entry or snapshot in the making. */
export class EntryEncoder {
  readonly #pieces: Buffer[] = [];
  #crc32 = 0;

  constructor(head: EntryHead | SnapshotHead) {
    this.add(`${JSON.stringify(head)}\n`);
  }

  add(text: string): void {
    const bytes = Buffer.from(text);
    this.#crc32 = crc32(bytes, this.#crc32);
    this.#pieces.push(bytes);
  }

  finish(): EncodedEntry {
    const bytes = Buffer.concat([...this.#pieces, Buffer.from(lastLine(this.#crc32))]);
    return { bytes, crc32: this.#crc32 };
  }
}

/** At once: for what is known to be small. */
export function encodeEntry(head: EntryHead | SnapshotHead, pieces: Iterable<Piece>): EncodedEntry {
  const encoder = new EntryEncoder(head);
  for (const { text } of pieces) encoder.add(text);
  return encoder.finish();
}

/** Throws `corrupt` for what is not whole, `wrong-state` for what another version wrote; both name `uri`. */
export function decodeEntry(bytes: Buffer, seq: number, uri: string): Entry {
  const whole = wholeLines(bytes, uri);
  const [first, ...lines] = whole.lines;
  const head = parseHead(first ?? '', seq, uri);
  const records = lines.map((line) => parseRecord(line, uri));
  return { head, records, bytes: bytes.length, crc32: whole.crc32 };
}

/** As {@link decodeEntry}. */
export function decodeSnapshot(bytes: Buffer, seq: number, uri: string): Snapshot {
  const entry = decodeEntry(bytes, seq, uri);
  const head = entry.head as SnapshotHead;
  const isList = Array.isArray(head.epochStarts) && head.epochStarts.every(Number.isSafeInteger);
  if (!isList) throw corrupt(uri, 'it does not say where epochs began');
  return { ...entry, head };
}

function lastLine(sum: number): string {
  return `{"crc32":${sum}}\n`;
}

/** Without the last line, which is checked. */
function wholeLines(bytes: Buffer, uri: string): { readonly lines: string[]; readonly crc32: number } {
  const end = bytes.lastIndexOf(newline, -2) + 1;
  const sum = crc32(bytes.subarray(0, end));
  if (bytes.toString('utf8', end) !== lastLine(sum)) {
    checkVersion(parseJson(bytes.toString('utf8', 0, Math.max(0, bytes.indexOf(newline)))), uri);
    throw corrupt(uri, 'its checksum is missing or wrong: it was changed or cut off');
  }
  const lines: string[] = [];
  for (let from = 0; from < end; ) {
    const to = bytes.indexOf(newline, from);
    lines.push(bytes.toString('utf8', from, to));
    from = to + 1;
  }
  return { lines, crc32: sum };
}

function parseHead(line: string, seq: number, uri: string): EntryHead {
  const head = parseJson(line) as Partial<EntryHead> | undefined;
  checkVersion(head, uri);
  const isWhole =
    Number.isSafeInteger(head?.epoch) &&
    Number.isSafeInteger(head?.previous) &&
    typeof head?.nonce === 'string';
  if (!isWhole || head?.version !== journalVersion)
    throw corrupt(uri, 'its first line is not that of an entry');
  if (head.seq !== seq) throw corrupt(uri, `it says to be number ${head.seq}`);
  return head as EntryHead;
}

function checkVersion(head: unknown, uri: string): void {
  const version = (head as { version?: unknown } | undefined)?.version;
  if (typeof version !== 'number' || version === journalVersion) return;
  throw anotherVersion(uri, `its format is ${version}, this version knows ${journalVersion}`);
}

function parseRecord(line: string, uri: string): PersistRecord {
  const record = parseJson(line) as Partial<PersistRecord> | undefined;
  const type = record?.type;
  if (typeof type !== 'string' || !Number.isFinite(record?.at)) throw corrupt(uri, 'a line is not a record');
  if (!Object.hasOwn(recordTypes, type)) throw anotherVersion(uri, `it has a record ${JSON.stringify(type)}`);
  return record as PersistRecord;
}

function parseJson(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    // Not JSON: the same as JSON of something else.
    return undefined;
  }
}

const unchanged =
  'nothing was changed: start on another --store (MILLRACE_STORE), or put log/ and snapshots/ back from a backup';

export function corrupt(uri: string, why: string): MillraceError {
  return new MillraceError('corrupt', `${uri} is not a whole part of the journal: ${why}; ${unchanged}`);
}

function anotherVersion(uri: string, why: string): MillraceError {
  return new MillraceError(
    'wrong-state',
    `${uri} was written by another version of Millrace (${why}); nothing was changed: run that version on this store, or start ` +
      'on another --store (MILLRACE_STORE)',
  );
}
