/** Keeps in the store what a failed reduce had read, so that `millrace replay` can run it again when the workers have forgotten it. */
import { open } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import type { AttemptFailure } from '../../lib/attempt-failure.ts';
import { MillraceError } from '../../lib/errors.ts';
import { failpoint } from '../../lib/failpoints.ts';
import { type AttemptId, formatAttempt } from '../../lib/ids.ts';
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
 * Undefined when an earlier attempt of the task has kept its input; of too much, or when enough reduces of the job are kept, only the numbers
 * are. Throws what store and disk throw.
 */
export async function keepInputs(options: KeepInputsOptions): Promise<KeptInputs | undefined> {
  const { spec, attempt, sources, stores } = options;
  const { store, key: folder } = stores.locate(keptFolder(spec, attempt.index));
  const { attempt: number, epoch } = attempt;
  const claim = JSON.stringify({ attempt: number, epoch });
  if (!(await store.putIfAbsent(`${folder}${claimName}`, Buffer.from(claim)))) return undefined;
  failpoint('keep.claimed');
  const bytes = sources.reduce((sum, { counts }) => sum + counts.bytes, 0);
  const omitted = await whyOmitted(options, bytes);
  let [objects, crc] = [0, 0];
  if (omitted === undefined) {
    for await (const piece of piecesOf(options)) {
      crc = crc32(piece, crc);
      await store.putIfAbsent(`${folder}${keptObjectName(++objects)}`, piece);
    }
  }
  const kept: KeptInputs = {
    version: 1,
    attempt: number,
    bytes,
    maps: sources.length,
    objects,
    omitted,
    crc32: crc,
  };
  await store.putIfAbsent(`${folder}${keptName}`, Buffer.from(`${JSON.stringify(kept)}\n`));
  return kept;
}

async function whyOmitted(
  { spec, attempt, stores }: KeepInputsOptions,
  bytes: number,
): Promise<KeptOmission | undefined> {
  if (bytes > limits.keptInputBytesMax) return 'too-large';
  const owner = Buffer.from(`${formatAttempt(attempt)}\n`);
  for (let tries = 0; tries < limits.keptReducesMax; tries++) {
    // Reduces that fail together do not all ask for the first.
    const { store, key } = stores.locate(placeUri(spec, (attempt.index + tries) % limits.keptReducesMax));
    if (await store.putIfAbsent(key, owner)) return undefined;
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
