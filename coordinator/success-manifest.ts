/** `_SUCCESS`: what a committed output is. Its shape is a contract (docs/on-disk.md). */
import { MillraceError } from '../lib/errors.ts';
import { partName, successName } from '../lib/formats.ts';
import type { JobSpec, OutputPart, StagedPart } from '../lib/job-spec.ts';
import type { Store } from '../lib/store/store.ts';
import type { SuccessFacts } from './core/effects.ts';

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
  readonly output: JobSpec['output'];
}

/** `parts` in index order; `before` are those of an earlier output that this job appends to. */
export function buildManifest(
  spec: JobSpec,
  parts: readonly StagedPart[],
  facts: SuccessFacts,
  before: readonly ManifestPart[],
): SuccessManifest {
  const kind = spec.reducers === 0 ? 'map' : 'reduce';
  const own = parts.map(({ bytes, records, crc32, columns }, index) => ({
    key: partName(kind, spec.partOffset + index),
    bytes,
    records,
    crc32,
    columns,
  }));
  return {
    version: 1,
    jobId: spec.jobId,
    name: spec.name,
    parts: [...before, ...own],
    counters: facts.counters,
    input: { records: facts.inputRecords, bytes: facts.inputBytes },
    intermediate: { records: facts.intermediateRecords, bytes: facts.intermediateBytes },
    output: spec.output,
  };
}

/** Undefined when there is no `_SUCCESS`; throws `corrupt` when there is one that is none of ours. */
export async function readManifest(store: Store, prefix: string): Promise<SuccessManifest | undefined> {
  const key = `${prefix}${successName}`;
  if (!(await store.head(key))) return undefined;
  const chunks: Uint8Array[] = [];
  for await (const chunk of store.read(key)) chunks.push(chunk);
  try {
    const manifest = JSON.parse(Buffer.concat(chunks).toString()) as Partial<SuccessManifest>;
    if (manifest.version === 1 && Array.isArray(manifest.parts)) return manifest as SuccessManifest;
  } catch (error) {
    throw new MillraceError('corrupt', `${key} is not JSON`, { cause: error });
  }
  throw new MillraceError('corrupt', `${key} is not a manifest of this version of Millrace`);
}
