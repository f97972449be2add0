/**
 * A map output copied into the coordinator's store (`--durability`), so that a lost worker costs no rerun: what it is called, and the index
 * that is written last and makes the copy whole. Every object is created once and never changed.
 *
 *   jobs/<job>/maps/m12.0.e3.00000, .00001, …  the segments of the run file, partition 0 first, cut every `pieceBytes`
 *   jobs/<job>/maps/m12.0.e3.json              crc32 of the rest (8 hex digits), space, JSON: who made what, and the counts of each segment
 */
import { crc32 } from 'node:zlib';
import type { BadRecordsReport } from './bad-records.ts';
import { MillraceError } from './errors.ts';
import { type AttemptId, attemptKey, formatAttempt, type JobId, toWorkerId, type WorkerId } from './ids.ts';
import type { Counters, JobSpec, SegmentCounts, StagedPart } from './job-spec.ts';
import { checkLimit, limits } from './limits.ts';
import type { MapReport } from './reports.ts';
import type { Stores } from './store/resolve.ts';

/** A whole copy, as its index says. */
export interface MapCopy {
  readonly attempt: AttemptId;
  /** Who made it. */
  readonly worker: WorkerId;
  /** Of every piece but the last one. */
  readonly pieceBytes: number;
  readonly report: MapReport;
  readonly counters: Counters;
}

/** What copies are named after: the job file lies in the folder of its job. */
export type JobFiles = Pick<JobSpec, 'bundle'>;
type MapAttempt = Pick<AttemptId, 'index' | 'attempt' | 'epoch'>;

const version = 1;

/** Of a job in the store of its coordinator, with a trailing slash. */
export function jobFolder({ bundle }: JobFiles): string {
  return bundle.uri.slice(0, bundle.uri.lastIndexOf('/') + 1);
}

/** Of all copies of a job, with a trailing slash. */
export function copiesFolder(job: JobFiles): string {
  return `${jobFolder(job)}maps/`;
}

export function pieceUri(job: JobFiles, attempt: MapAttempt, piece: number): string {
  return `${copyUri(job, attempt)}.${String(piece).padStart(5, '0')}`;
}

export function indexUri(job: JobFiles, attempt: MapAttempt): string {
  return `${copyUri(job, attempt)}.json`;
}

function copyUri(job: JobFiles, { index, attempt, epoch }: MapAttempt): string {
  return `${copiesFolder(job)}${formatAttempt({ kind: 'map', index, attempt })}.e${epoch}`;
}

/** Of which map an object of the copies is a part; undefined for any other object. */
export function mapOfCopy(key: string): number | undefined {
  const match = /\/m(\d{1,7})\.[^/]*$/.exec(key);
  return match ? Number(match[1]) : undefined;
}

/** Whose index has this key; undefined for any other object. */
export function attemptOfIndex(jobId: JobId, key: string): AttemptId | undefined {
  const match = /\/m(\d{1,7})\.(\d{1,7})\.e(\d{1,7})\.json$/.exec(key);
  if (!match) return undefined;
  const [index, attempt, epoch] = match.slice(1).map(Number) as [number, number, number];
  return { jobId, kind: 'map', index, attempt, epoch };
}

export function encodeIndex({ attempt, worker, pieceBytes, report, counters }: MapCopy): Buffer {
  const { segments, inputRecords, inputBytes, spills, spillBytes, bad } = report;
  const text = JSON.stringify({
    version,
    attempt: attemptKey(attempt),
    worker,
    pieceBytes,
    report: { inputRecords, inputBytes, spills, spillBytes, bad },
    counters,
    segments: segments.map(({ records, bytes, crc32: sum }) => [records, bytes, sum]),
  });
  return Buffer.from(`${sumOf(text)} ${text}`);
}

/** Throws `corrupt` naming the object for anything but the whole index of this attempt. */
export function decodeIndex(bytes: Buffer, attempt: AttemptId, where: string): MapCopy {
  const text = bytes.toString('utf8', 9);
  if (bytes.toString('latin1', 0, 9) !== `${sumOf(text)} `) throw corrupt(where, 'its crc32 is wrong');
  const index = JSON.parse(text) as Json;
  if (index.version !== version)
    throw corrupt(where, `it has version ${String(index.version)}, not ${version}`);
  if (index.attempt !== attemptKey(attempt))
    throw corrupt(where, `it is the index of ${String(index.attempt)}`);
  const pieceBytes = count(index.pieceBytes);
  const report = reportIn(index.report, index.segments);
  if (!pieceBytes || !report || !isCounters(index.counters)) throw corrupt(where, 'its fields make no sense');
  return { attempt, worker: toWorkerId(index.worker), pieceBytes, report, counters: index.counters };
}

/** Throws `not-found` when there is no whole copy, `corrupt` when its index is not what was written, else what the store does. */
export async function readIndex(
  stores: Stores,
  job: JobFiles,
  attempt: AttemptId,
  signal?: AbortSignal,
): Promise<MapCopy> {
  const uri = indexUri(job, attempt);
  const { store, key } = stores.locate(uri);
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of store.read(key, signal ? { signal } : {})) {
    bytes += chunk.length;
    checkLimit(`the size of ${uri}`, bytes, limits.mapCopyIndexBytesMax, 'no worker wrote that');
    chunks.push(chunk);
  }
  return decodeIndex(Buffer.concat(chunks), attempt, uri);
}

type Json = Readonly<Record<string, unknown>>;

function reportIn(value: unknown, rows: unknown): MapReport | undefined {
  const { bad, ...wire } = (value ?? {}) as Json;
  const inputRecords = count(wire.inputRecords);
  const inputBytes = count(wire.inputBytes);
  const spills = count(wire.spills);
  const spillBytes = count(wire.spillBytes);
  const segments = Array.isArray(rows) ? rows.map(segmentIn) : [undefined];
  if (inputRecords === undefined || inputBytes === undefined || !segments.every(isThere)) return undefined;
  if (spills === undefined || spillBytes === undefined || !(bad === undefined || isBad(bad)))
    return undefined;
  const sums = { inputRecords, inputBytes, spills, spillBytes };
  return { ...sums, segments, part: undefined, bad, copied: true };
}

function segmentIn(row: unknown): SegmentCounts | undefined {
  const [records, bytes, sum] = Array.isArray(row) ? row.map(count) : [];
  if (records === undefined || bytes === undefined || sum === undefined) return undefined;
  return { records, bytes, crc32: sum };
}

function isThere<T>(value: T | undefined): value is T {
  return value !== undefined;
}

function isBad(value: unknown): value is BadRecordsReport {
  const { part, examples } = (value ?? {}) as Partial<BadRecordsReport>;
  const { uri, token, bytes, records, crc32: sum } = (part ?? {}) as Partial<StagedPart>;
  const hasCounts = [bytes, records, sum].every((one) => count(one) !== undefined);
  return hasCounts && typeof uri === 'string' && typeof token === 'string' && Array.isArray(examples);
}

function isCounters(value: unknown): value is Counters {
  return typeof value === 'object' && value !== null && Object.values(value).every(Number.isFinite);
}

function count(value: unknown): number | undefined {
  return Number.isSafeInteger(value) && (value as number) >= 0 ? (value as number) : undefined;
}

function corrupt(where: string, what: string): MillraceError {
  return new MillraceError('corrupt', `${where} is corrupt: ${what}`);
}

function sumOf(text: string): string {
  return crc32(text).toString(16).padStart(8, '0');
}
