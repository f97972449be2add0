/** A committed output, read from its store through `_SUCCESS`: only what that lists is output. */
import { crc32 } from 'node:zlib';
import { MillraceError } from '../lib/errors.ts';
import { successName } from '../lib/formats.ts';
import { decodePart } from '../lib/output/decode-part.ts';
import type { Stores } from '../lib/store/resolve.ts';
import { type ManifestPart, readManifest, type SuccessManifest } from '../lib/success-manifest.ts';

/** The records of all parts, in order. Throws `not-found` when nothing is committed there, `corrupt` when a part is not what it was. */
export async function* readOutput(
  stores: Stores,
  outputUri: string,
  signal?: AbortSignal,
): AsyncGenerator<unknown, void, void> {
  const committed = await readCommitted(stores, outputUri);
  for (const part of committed.parts) {
    yield* decodePart(readPart(stores, outputUri, part, signal), committed.output, part.columns);
  }
}

/** The bytes of one part as they lie in the store; compressed when the format says so. Whether they are right shows at their end. */
export async function* readPart(
  stores: Stores,
  outputUri: string,
  part: ManifestPart,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array, void, void> {
  const { store, key } = stores.locate(outputUri);
  let bytes = 0;
  let sum = 0;
  for await (const chunk of store.read(`${key}${part.key}`, signal ? { signal } : {})) {
    bytes += chunk.length;
    sum = crc32(chunk, sum);
    yield chunk;
  }
  if (bytes !== part.bytes) throw changed(`${bytes} bytes`, part.bytes);
  if (sum !== part.crc32) throw changed(`crc32 ${sum}`, part.crc32);

  function changed(found: string, said: number): MillraceError {
    const what = `${outputUri}${part.key} has ${found}, ${successName} says ${said}`;
    return new MillraceError('corrupt', `${what}: it was changed after the job`);
  }
}

/** The manifest of what is committed there. Throws `not-found` when nothing is. */
export async function readCommitted(stores: Stores, outputUri: string): Promise<SuccessManifest> {
  const { store, key } = stores.locate(outputUri);
  const manifest = await readManifest(store, key);
  if (manifest) return manifest;
  throw new MillraceError(
    'not-found',
    `there is no ${successName} in ${outputUri}: no committed output is there`,
  );
}
