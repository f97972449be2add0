/** A job of two reduces that has only to be committed: its spec, staged parts and what its maps counted. */
import { randomUUID } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { type Mock, vi } from 'vitest';
import type { CommitTries } from '../coordinator/output-folder.ts';
import { toJobId } from '../lib/ids.ts';
import type { IfExists, JobSpec, StagedPart } from '../lib/job-spec.ts';
import type { Stores } from '../lib/store/resolve.ts';

export const facts = {
  inputRecords: 3,
  inputBytes: 30,
  intermediateRecords: 3,
  intermediateBytes: 40,
  counters: { seen: 3 },
};

export function outputSpec(outputUri: string, ifExists: IfExists, partOffset = 0): JobSpec {
  return {
    jobId: toJobId(randomUUID()),
    name: 'test',
    bundle: { uri: 'mem://x/b', sha256: '', bytes: 0 },
    input: { kind: 'lines' },
    output: { kind: 'tsv', compression: 'none' },
    inputPatterns: [],
    outputUri,
    ifExists,
    params: {},
    reducers: 2,
    partition: 'hash',
    splitBytes: 1,
    maps: undefined,
    priority: 0,
    attemptsMax: 4,
    taskTimeoutMs: 1,
    submittedAtMs: 0,
    partOffset,
  };
}

/** Under the names of reduces, from the first part of the job on. */
export function stageParts(stores: Stores, spec: JobSpec, texts: readonly string[]): Promise<StagedPart[]> {
  return Promise.all(
    texts.map(async (text, index) => {
      const uri = `${spec.outputUri}part-r-${String(spec.partOffset + index).padStart(5, '0')}`;
      const { store, key } = stores.locate(uri);
      const writer = await store.stage(key, spec.jobId);
      await writer.write(Buffer.from(text));
      const { token, bytes } = await writer.seal();
      return { uri, token, bytes, records: 1, crc32: crc32(text), columns: [] };
    }),
  );
}

/** Of a coordinator that leads. */
export function tryOf(): CommitTries & { readonly begin: Mock<() => void> } {
  return { confirmLead: async () => undefined, hasBegun: false, begin: vi.fn<() => void>() };
}
