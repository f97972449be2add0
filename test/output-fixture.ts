/** A job of two reduces that has only to be committed: its spec, staged parts and what its maps counted. */
import { randomUUID } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { type Mock, vi } from 'vitest';
import type { CommitTries } from '../coordinator/output-folder.ts';
import { collectBytes } from '../lib/iterables.ts';
import type { IfExists, JobSpec, StagedPart } from '../lib/job-spec.ts';
import type { Stores } from '../lib/store/resolve.ts';
import { makeSpec } from './core/make.ts';

export const facts = {
  inputRecords: 3,
  inputBytes: 30,
  intermediateRecords: 3,
  intermediateBytes: 40,
  counters: { seen: 3 },
};

export function outputSpec(outputUri: string, ifExists: IfExists, partOffset = 0): JobSpec {
  const bundle = { uri: 'mem://x/b', sha256: '', bytes: 0 };
  return makeSpec(randomUUID(), { bundle, outputUri, ifExists, partOffset, reducers: 2 });
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

/** Of the objects below a folder, relative to it. */
export async function namesBelow(stores: Stores, uri: string): Promise<string[]> {
  const { store, key } = stores.locate(uri);
  const found: string[] = [];
  for await (const object of store.list(key)) found.push(object.key.slice(key.length));
  return found;
}

export async function textAt(stores: Stores, uri: string): Promise<string> {
  const { store, key } = stores.locate(uri);
  return (await collectBytes(store.read(key))).toString();
}
