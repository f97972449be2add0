/** A committed output, read from its store through `_SUCCESS`: only what that lists is output. */
import { MillraceError } from '../lib/errors.ts';
import { type OutputFormat, successName } from '../lib/formats.ts';
import { decodePart } from '../lib/output/decode-part.ts';
import type { Stores } from '../lib/store/resolve.ts';
import type { Store } from '../lib/store/store.ts';

/** What reading needs of the manifest. */
export interface CommittedOutput {
  readonly output: OutputFormat;
  readonly parts: readonly CommittedPart[];
}

export interface CommittedPart {
  readonly key: string;
  readonly bytes: number;
  readonly columns: readonly string[];
}

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

/** The bytes of one part as they lie in the store; compressed when the format says so. */
export async function* readPart(
  stores: Stores,
  outputUri: string,
  part: CommittedPart,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array, void, void> {
  const { store, key } = stores.locate(outputUri);
  let bytes = 0;
  for await (const chunk of store.read(`${key}${part.key}`, signal ? { signal } : {})) {
    bytes += chunk.length;
    yield chunk;
  }
  if (bytes !== part.bytes) {
    throw new MillraceError(
      'corrupt',
      `${outputUri}${part.key} has ${bytes} bytes, ${successName} says ${part.bytes}: it was changed after the job`,
    );
  }
}

export async function readCommitted(stores: Stores, outputUri: string): Promise<CommittedOutput> {
  const { store, key } = stores.locate(outputUri);
  if (!(await store.head(`${key}${successName}`))) {
    throw new MillraceError(
      'not-found',
      `there is no ${successName} in ${outputUri}: no committed output is there`,
    );
  }
  return parseCommitted(await readText(store, `${key}${successName}`), `${outputUri}${successName}`);
}

async function readText(store: Store, key: string): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of store.read(key)) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

/** Throws `corrupt`: the file is outside data, and part names become paths. */
export function parseCommitted(text: string, uri: string): CommittedOutput {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new MillraceError('corrupt', `${uri} is not JSON`, { cause: error });
  }
  const manifest = value as { version?: unknown; parts?: unknown; output?: { kind?: unknown } } | null;
  if (manifest?.version === 1 && Array.isArray(manifest.parts) && typeof manifest.output?.kind === 'string') {
    const parts = manifest.parts.map((part: unknown) => (isPart(part) ? part : undefined));
    if (parts.every((part) => part !== undefined)) return { output: manifest.output as OutputFormat, parts };
  }
  throw new MillraceError('corrupt', `${uri} is not a manifest of this version of Millrace`);
}

function isPart(value: unknown): value is CommittedPart {
  const part = value as Partial<Record<keyof CommittedPart, unknown>> | null;
  return (
    typeof part?.key === 'string' &&
    /^part-[mr]-\d{5,7}$/.test(part.key) &&
    Number.isSafeInteger(part.bytes) &&
    Array.isArray(part.columns) &&
    part.columns.every((column) => typeof column === 'string')
  );
}
