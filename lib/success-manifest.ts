/** `_SUCCESS`: what a committed output is. Its shape is a contract (docs/on-disk.md); the coordinator writes it, everybody reads it. */
import { MillraceError } from './errors.ts';
import { type OutputFormat, successName } from './formats.ts';
import { collectBytes } from './iterables.ts';
import type { OutputPart } from './job-spec.ts';
import type { Store } from './store/store.ts';

export interface ManifestPart extends OutputPart {
  /** For tsv: the type of each column, so that results read back typed. */
  readonly columns: readonly string[];
}

export interface SuccessManifest {
  readonly version: 1;
  readonly jobId: string;
  readonly name: string;
  readonly parts: readonly ManifestPart[];
  readonly counters: Readonly<Record<string, number>>;
  readonly input: { readonly records: number; readonly bytes: number };
  readonly intermediate: { readonly records: number; readonly bytes: number };
  readonly output: OutputFormat;
  /** The objects under `_bad/` and how many records were skipped; missing when none was. */
  readonly badRecords?: { readonly records: number; readonly parts: readonly OutputPart[] };
}

/** Undefined when there is no `_SUCCESS` below `prefix`; throws `corrupt` when there is one that is none of ours. */
export async function readManifest(store: Store, prefix: string): Promise<SuccessManifest | undefined> {
  const key = `${prefix}${successName}`;
  if (!(await store.head(key))) return undefined;
  return parseManifest((await collectBytes(store.read(key))).toString(), key);
}

/** Throws `corrupt` naming `where`: the file is outside data, and the names of its parts become paths. */
export function parseManifest(text: string, where: string): SuccessManifest {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new MillraceError('corrupt', `${where} is not JSON`, { cause: error });
  }
  const manifest = value as { version?: unknown; parts?: unknown; output?: { kind?: unknown } } | null;
  const isOurs = manifest?.version === 1 && typeof manifest.output?.kind === 'string';
  if (isOurs && Array.isArray(manifest.parts) && manifest.parts.every(isPart))
    return value as SuccessManifest;
  throw new MillraceError('corrupt', `${where} is not a manifest of this version of Millrace`);
}

function isPart(value: unknown): value is ManifestPart {
  const part = value as Partial<Record<keyof ManifestPart, unknown>> | null;
  return (
    typeof part?.key === 'string' &&
    /^part-[mr]-\d{5,7}$/.test(part.key) &&
    Number.isSafeInteger(part.bytes) &&
    Array.isArray(part.columns) &&
    part.columns.every((column) => typeof column === 'string')
  );
}
