/** What `_SUCCESS` says of a job (lib/success-manifest.ts). */
import { badPartName, partName } from '../lib/formats.ts';
import type { JobSpec, OutputPart, StagedPart } from '../lib/job-spec.ts';
import { manifestVersion, type SuccessManifest } from '../lib/success-manifest.ts';
import type { BadPart, SuccessFacts } from './core/effects.ts';

/** `parts` in index order; `before` is the manifest of an earlier output that this job appends to. */
export function buildManifest(
  spec: JobSpec,
  parts: readonly StagedPart[],
  facts: SuccessFacts,
  before: SuccessManifest | undefined,
): SuccessManifest {
  const kind = spec.reducers === 0 ? 'map' : 'reduce';
  const own = parts.map(({ bytes, records, crc32, columns }, index) => ({
    key: partName(kind, spec.partOffset + index),
    bytes,
    records,
    crc32,
    columns,
    ...(facts.consumed && { consumed: facts.consumed[index]! }),
  }));
  return {
    version: manifestVersion,
    jobId: spec.jobId,
    name: spec.name,
    parts: [...(before?.parts ?? []), ...own],
    counters: facts.counters,
    input: { records: facts.inputRecords, bytes: facts.inputBytes },
    intermediate: { records: facts.intermediateRecords, bytes: facts.intermediateBytes },
    output: spec.output,
    ...(facts.audit && { audit: facts.audit }),
    ...(facts.differences && { nonDeterministic: facts.differences }),
    ...badRecordsOf(spec, facts.bad ?? [], before?.badRecords?.parts ?? []),
  };
}

/** Nothing is said of them where there are none. */
function badRecordsOf(
  spec: JobSpec,
  bad: readonly BadPart[],
  before: readonly OutputPart[],
): Pick<SuccessManifest, 'badRecords'> {
  const own = bad.map(({ map, part: { bytes, records, crc32 } }) => ({
    key: badPartName(spec.partOffset + map),
    bytes,
    records,
    crc32,
  }));
  const parts = [...before, ...own];
  if (parts.length === 0) return {};
  return { badRecords: { records: parts.reduce((sum, part) => sum + part.records, 0), parts } };
}
