/** `_SUCCESS`: what a committed output is. Its shape is a contract (docs/on-disk.md); the coordinator writes it, everybody reads it. */
import { crc32 } from 'node:zlib';
import { MillraceError } from './errors.ts';
import { type OutputFormat, successName } from './formats.ts';
import { collectBytes } from './iterables.ts';
import type { OutputPart, PairCounts, SegmentCounts } from './job-spec.ts';
import type { DifferenceView } from './job-view.ts';
import type { Store } from './store/store.ts';

export const manifestVersion = 2;

/** The same records and bytes at every step, or the job would not have committed. */
export interface JobAudit {
  /** What the accepted maps made, after combining. crc32 is the sum over all segments modulo 2^32. */
  readonly mapped: SegmentCounts;
  /** What the accepted reduces fetched. */
  readonly fetched: SegmentCounts;
  /** What went through their groups of keys. */
  readonly reduced: PairCounts;
}

export interface ManifestPart extends OutputPart {
  /** What its reduce fetched: equal for equal input, whatever reduce made of it. Missing for map-only jobs. */
  readonly consumed?: SegmentCounts;
  /** For tsv: the type of each column, so that results read back typed. */
  readonly columns: readonly string[];
}

export interface SuccessManifest {
  /** 1 had no checksum of its own. */
  readonly version: 1 | typeof manifestVersion;
  readonly jobId: string;
  readonly name: string;
  readonly parts: readonly ManifestPart[];
  readonly counters: Readonly<Record<string, number>>;
  readonly input: { readonly records: number; readonly bytes: number };
  readonly intermediate: { readonly records: number; readonly bytes: number };
  readonly output: OutputFormat;
  /** Of a job with reduces; of the last one only, after `append`. */
  readonly audit?: JobAudit;
  /** Maps that were seen to make different output when they ran twice; missing when there were none. Each reduce used the same one of the two. */
  readonly nonDeterministic?: readonly DifferenceView[];
  /** The objects under `_bad/` and how many records were skipped; missing when none was. */
  readonly badRecords?: { readonly records: number; readonly parts: readonly OutputPart[] };
}

/** Undefined when there is no `_SUCCESS` below `prefix`; throws `corrupt` when there is one that is none of ours. */
export async function readManifest(store: Store, prefix: string): Promise<SuccessManifest | undefined> {
  const key = `${prefix}${successName}`;
  if (!(await store.head(key))) return undefined;
  return parseManifest((await collectBytes(store.read(key))).toString(), key);
}

/** As it is written: indented JSON, whose last member is the crc32 of all before its line. */
export function encodeManifest(manifest: SuccessManifest): string {
  const head = `${JSON.stringify(manifest, null, 2).slice(0, -'\n}'.length)},\n`;
  return head + lastLines(head);
}

function lastLines(head: string): string {
  return `  "crc32": ${crc32(head)}\n}\n`;
}

/** Throws `corrupt` naming `where`: the file is outside data, and the names of its parts become paths. */
export function parseManifest(text: string, where: string): SuccessManifest {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new MillraceError('corrupt', `${where} is not JSON`, { cause: error });
  }
  checkWhole(value, text, where);
  const manifest = value as { parts?: unknown; output?: { kind?: unknown }; audit?: unknown };
  const isOurs = typeof manifest.output?.kind === 'string' && isOptional(manifest.audit, isAudit);
  if (isOurs && Array.isArray(manifest.parts) && manifest.parts.every(isPart))
    return value as SuccessManifest;
  throw new MillraceError('corrupt', `${where} is not a manifest of Millrace`);
}

function checkWhole(value: unknown, text: string, where: string): void {
  const { version, crc32: sum } = (value ?? {}) as { version?: unknown; crc32?: unknown };
  if (version === 1 && sum === undefined) return;
  if (typeof version === 'number' && version > manifestVersion) {
    const known = `this version knows up to ${manifestVersion}`;
    throw new MillraceError(
      'corrupt',
      `${where} was written by a newer Millrace (its format is ${version}, ${known})`,
    );
  }
  const head = text.slice(0, text.lastIndexOf('  "crc32": '));
  if (version === manifestVersion && text === head + lastLines(head)) return;
  throw new MillraceError(
    'corrupt',
    `${where} is not a whole manifest of Millrace: its checksum is missing or wrong`,
  );
}

function isPart(value: unknown): value is ManifestPart {
  const part = value as Partial<Record<keyof ManifestPart, unknown>> | null;
  return (
    typeof part?.key === 'string' &&
    /^part-[mr]-\d{5,7}$/.test(part.key) &&
    Number.isSafeInteger(part.bytes) &&
    Array.isArray(part.columns) &&
    part.columns.every((column) => typeof column === 'string') &&
    isOptional(part.consumed, isSegmentCounts)
  );
}

/** Older manifests say less. */
function isOptional(value: unknown, isRight: (value: unknown) => boolean): boolean {
  return value === undefined || isRight(value);
}

function isAudit(value: unknown): boolean {
  const { mapped, fetched, reduced } = (value ?? {}) as Partial<Record<keyof JobAudit, unknown>>;
  return isSegmentCounts(mapped) && isSegmentCounts(fetched) && isPairCounts(reduced);
}

function isSegmentCounts(value: unknown): boolean {
  return isPairCounts(value) && Number.isSafeInteger((value as SegmentCounts).crc32);
}

function isPairCounts(value: unknown): boolean {
  const { records, bytes } = (value ?? {}) as Partial<PairCounts>;
  return Number.isSafeInteger(records) && Number.isSafeInteger(bytes);
}
