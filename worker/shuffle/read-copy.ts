/** Reads one segment of a map output from its copy in the store: what is handed out has the counts and the checksum that the copy's index says. */
import { MillraceError } from '../../lib/errors.ts';
import type { AttemptId } from '../../lib/ids.ts';
import type { JobSpec, SegmentCounts } from '../../lib/job-spec.ts';
import { pieceUri, readIndex } from '../../lib/map-copy.ts';
import type { Stores } from '../../lib/store/resolve.ts';
import type { SegmentSource } from './segment-reader.ts';
import type { SegmentSink, SegmentStore } from './segment-store.ts';

export interface ReadCopyOptions {
  readonly stores: Stores;
  readonly spec: Pick<JobSpec, 'bundle'>;
  /** The map attempt that made it. */
  readonly attempt: AttemptId;
  readonly partition: number;
  /** Takes the bytes. */
  readonly segments: SegmentStore;
  /** For error messages. */
  readonly name: string;
  /** Whether these are the counts that the map reported. */
  readonly isReported: (counts: SegmentCounts) => boolean;
  readonly signal: AbortSignal;
}

/**
 * Throws `not-found` when the store has no whole copy, `corrupt` when it is not what the map reported, `no-space` when the segment finds no
 * room here, else what the store does.
 */
export async function readCopiedSegment(options: ReadCopyOptions): Promise<SegmentSource> {
  const { stores, spec, attempt, partition, segments, name, isReported, signal } = options;
  const { report, pieceBytes } = await readIndex(stores, spec, attempt, signal);
  const counts = report.segments[partition];
  if (!counts || !isReported(counts))
    throw new MillraceError('corrupt', `${name}: its counts are not those that the map reported`);
  const start = report.segments.slice(0, partition).reduce((sum, { bytes }) => sum + bytes, 0);
  const sink = await segments.begin(name, counts);
  try {
    await readRange(options, pieceBytes, start, start + counts.bytes, sink);
    return sink.finish();
  } catch (error) {
    sink.abort();
    throw error;
  }
}

/** Of all segments, back to back. */
async function readRange(
  { stores, spec, attempt, signal }: ReadCopyOptions,
  pieceBytes: number,
  start: number,
  end: number,
  sink: SegmentSink,
): Promise<void> {
  for (let at = start; at < end; ) {
    const piece = Math.floor(at / pieceBytes);
    const pieceStart = piece * pieceBytes;
    const pieceEnd = Math.min(end, pieceStart + pieceBytes);
    const { store, key } = stores.locate(pieceUri(spec, attempt, piece));
    const range = { start: at - pieceStart, end: pieceEnd - pieceStart, signal };
    for await (const chunk of store.read(key, range)) await sink.write(asBuffer(chunk));
    at = pieceEnd;
  }
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
