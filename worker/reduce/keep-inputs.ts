/** Keeps in the store what a failed reduce had read, so that `millrace replay` can run it again when the workers have forgotten it. */
import { open } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import type { AttemptFailure } from '../../lib/attempt-failure.ts';
import { MillraceError } from '../../lib/errors.ts';
import { failpoint } from '../../lib/failpoints.ts';
import { type AttemptId, formatTask } from '../../lib/ids.ts';
import { collectBytes } from '../../lib/iterables.ts';
import type { JobSpec } from '../../lib/job-spec.ts';
import {
  claimName,
  type KeptInputs,
  type KeptOmission,
  keptFolder,
  keptName,
  keptObjectName,
  placeUri,
} from '../../lib/kept-inputs.ts';
import { limits } from '../../lib/limits.ts';
import type { Stores } from '../../lib/store/resolve.ts';
import type { Store } from '../../lib/store/store.ts';
import { encodeRun } from '../shuffle/run-file.ts';
import type { SegmentSource } from '../shuffle/segment-reader.ts';

export interface KeepInputsOptions {
  readonly spec: JobSpec;
  readonly attempt: AttemptId;
  /** By map. */
  readonly sources: readonly SegmentSource[];
  readonly stores: Stores;
  readonly signal: AbortSignal;
}

/** Failures that the input of a reduce can explain. */
export function isWorthReplaying({ kind }: AttemptFailure): boolean {
  return kind === 'user-error' || kind === 'out-of-memory' || kind === 'timeout';
}

/**
 * Undefined when an earlier attempt of the task has kept its input, or so many may yet; of too much, or when enough reduces of the job are kept, only the numbers
 * are. Throws what store and disk throw.
 */
export async function keepInputs(options: KeepInputsOptions): Promise<KeptInputs | undefined> {
  const { spec, attempt, sources, stores } = options;
  const { store, key: folder } = stores.locate(keptFolder(spec, attempt.index));
  const claim = await claimTask(store, folder, attempt);
  if (claim === undefined) return undefined;
  failpoint('keep.claimed');
  const bytes = sources.reduce((sum, { counts }) => sum + counts.bytes, 0);
  const omitted = await whyOmitted(options, bytes);
  let [objects, crc] = [0, 0];
  if (omitted === undefined) {
    for await (const piece of piecesOf(options)) {
      crc = crc32(piece, crc);
      await store.putIfAbsent(`${folder}${keptObjectName({ claim }, ++objects)}`, piece);
    }
  }
  const kept: KeptInputs = {
    version: 1,
    attempt: attempt.attempt,
    claim,
    bytes,
    maps: sources.length,
    objects,
    omitted,
    crc32: crc,
  };
  const isFirst = await store.putIfAbsent(`${folder}${keptName}`, Buffer.from(`${JSON.stringify(kept)}\n`));
  return isFirst ? kept : undefined;
}

/** The first claim that is free; undefined when the input is kept already, and when none is. */
async function claimTask(
  store: Store,
  folder: string,
  { attempt, epoch }: AttemptId,
): Promise<number | undefined> {
  const text = Buffer.from(JSON.stringify({ attempt, epoch }));
  for (let claim = 0; claim < limits.keptClaimsMax; claim++) {
    if (await store.putIfAbsent(`${folder}${claimName(claim)}`, text)) return claim;
    // Who made it may be dead, or at it still.
    if (claim === 0 && (await isThere(store, `${folder}${keptName}`))) return undefined;
  }
  return undefined;
}

/** To an account that may not list a bucket, as a worker's, S3 does not say that something is missing: it says that it may not be read. */
async function isThere(store: Store, key: string): Promise<boolean> {
  try {
    return (await store.head(key)) !== undefined;
  } catch (thrown) {
    if (MillraceError.from(thrown).code === 'permission-denied') return false;
    throw thrown;
  }
}

async function whyOmitted(
  { spec, attempt, stores }: KeepInputsOptions,
  bytes: number,
): Promise<KeptOmission | undefined> {
  if (bytes > limits.keptInputBytesMax) return 'too-large';
  const owner = Buffer.from(`${formatTask(attempt)}\n`);
  for (let tries = 0; tries < limits.keptReducesMax; tries++) {
    // Reduces that fail together do not all ask for the first.
    const { store, key } = stores.locate(placeUri(spec, (attempt.index + tries) % limits.keptReducesMax));
    if (await store.putIfAbsent(key, owner)) return undefined;
    // An earlier claim of the same task took it.
    if (owner.equals(await collectBytes(store.read(key)))) return undefined;
  }
  return 'too-many';
}

/** The bytes of the run file, in objects of one size and a last one. */
async function* piecesOf({ sources, signal }: KeepInputsOptions): AsyncGenerator<Buffer> {
  let piece = Buffer.allocUnsafeSlow(limits.keptObjectBytes);
  let at = 0;
  for await (const bytes of encodeRun(
    sources.map(({ counts }) => counts),
    (map) => bytesOf(sources[map]!),
  )) {
    for (let from = 0; from < bytes.length; ) {
      signal.throwIfAborted();
      const copied = bytes.copy(piece, at, from);
      from += copied;
      at += copied;
      if (at < piece.length) continue;
      yield piece;
      piece = Buffer.allocUnsafeSlow(limits.keptObjectBytes);
      at = 0;
    }
  }
  if (at > 0) yield piece.subarray(0, at);
}

async function* bytesOf(source: SegmentSource): AsyncGenerator<Buffer> {
  if (source.kind === 'memory') return yield source.bytes;
  const { bytes } = source.counts;
  await using file = await open(source.path, 'r');
  for (let done = 0; done < bytes; ) {
    const target = Buffer.allocUnsafe(Math.min(limits.readChunkBytes, bytes - done));
    const { bytesRead } = await file.read(target, 0, target.length, source.offset + done);
    if (bytesRead === 0) throw new MillraceError('corrupt', `${source.name} ends at byte ${done}`);
    yield target.subarray(0, bytesRead);
    done += bytesRead;
  }
}
