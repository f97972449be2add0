/**
 * Copies the run file of a map into the store (lib/map-copy.ts): piece by piece, the index last. The bytes are compared with the checksums
 * of the run on their way, so that no damage of the disk is copied as if it were whole.
 */
import { open } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import { MillraceError } from '../../lib/errors.ts';
import { failpoint } from '../../lib/failpoints.ts';
import type { JobSpec } from '../../lib/job-spec.ts';
import { limits } from '../../lib/limits.ts';
import { encodeIndex, indexUri, type MapCopy, pieceUri } from '../../lib/map-copy.ts';
import type { Stores } from '../../lib/store/resolve.ts';
import { RunReader, type RunSegment } from './run-file.ts';

export interface WriteCopyOptions {
  readonly stores: Stores;
  readonly spec: Pick<JobSpec, 'bundle'>;
  /** Of the run file. */
  readonly path: string;
  readonly copy: Omit<MapCopy, 'pieceBytes'>;
  readonly pieceBytes?: number;
  readonly signal: AbortSignal;
}

/**
 * Resolves when the store has a whole copy; again for the same attempt it writes the same bytes. Throws `corrupt` when the run file is,
 * what the store does, and the reason of the signal.
 */
export async function writeCopy(options: WriteCopyOptions): Promise<void> {
  const { stores, spec, copy, signal, pieceBytes = limits.mapCopyPieceBytes } = options;
  let piece = 0;
  for await (const bytes of readPieces(options.path, pieceBytes)) {
    signal.throwIfAborted();
    failpoint('copy.piece');
    await put(stores, pieceUri(spec, copy.attempt, piece++), bytes);
  }
  signal.throwIfAborted();
  failpoint('copy.index-before');
  await put(stores, indexUri(spec, copy.attempt), encodeIndex({ ...copy, pieceBytes }));
  failpoint('copy.index-after');
}

/** An object that is there already is of this attempt, and the same. */
async function put(stores: Stores, uri: string, bytes: Buffer): Promise<void> {
  const { store, key } = stores.locate(uri);
  await store.put(key, bytes);
}

/** All segments, back to back, each in memory of its own. */
async function* readPieces(path: string, pieceBytes: number): AsyncGenerator<Buffer> {
  using run = new RunReader(path);
  await using file = await open(path, 'r');
  const segments = Array.from({ length: run.partitions }, (_, partition) => run.segment(partition));
  // A piece may go out before the segment that it ends in is judged: without an index it counts for nothing.
  let left = segments.reduce((sum, { bytes }) => sum + bytes, 0);
  let piece = Buffer.allocUnsafeSlow(Math.min(pieceBytes, left));
  let filled = 0;
  for (const segment of segments) {
    let sum = 0;
    for (let done = 0; done < segment.bytes; ) {
      const wanted = Math.min(piece.length - filled, segment.bytes - done);
      const { bytesRead } = await file.read(piece, filled, wanted, segment.offset + done);
      if (bytesRead === 0) throw corrupt(path, segment, 'the file ends in it');
      sum = crc32(piece.subarray(filled, filled + bytesRead), sum);
      done += bytesRead;
      filled += bytesRead;
      left -= bytesRead;
      if (filled < piece.length) continue;
      yield piece;
      piece = Buffer.allocUnsafeSlow(Math.min(pieceBytes, left));
      filled = 0;
    }
    if (sum !== segment.crc32) throw corrupt(path, segment, 'its crc32 is wrong');
  }
}

function corrupt(path: string, { offset }: RunSegment, what: string): MillraceError {
  return new MillraceError('corrupt', `${path} is corrupt in the segment at ${offset}: ${what}`);
}
