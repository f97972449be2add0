/** What `_SUCCESS` says of a job (lib/success-manifest.ts). */
import { partName } from '../lib/formats.ts';
import type { JobSpec, StagedPart } from '../lib/job-spec.ts';
import type { ManifestPart, SuccessManifest } from '../lib/success-manifest.ts';
import type { SuccessFacts } from './core/effects.ts';

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
