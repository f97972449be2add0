/**
 * What flows through a Fetch stream: one stream of bytes, cut into frames anywhere but inside a header. Small segments share
 * frames, large ones span many, and the bytes of a segment are as they lie on disk.
 *
 *   stream  = { header [segment bytes] } end-header
 *   header  = 40 bytes LE: kind u32, map u32, attempt u32, epoch u32, records f64, bytes f64, crc32 u32, 0 u32
 *   kinds     1 a segment, its bytes follow; 2 missing: not served here; 3 unreadable here; 4 end
 *
 * A stream without its end header was cut off: never an end of data.
 */
import { MillraceError } from '../../lib/errors.ts';
import type { SegmentCounts } from '../../lib/job-spec.ts';

export const frameHeaderBytes = 40;

/** A map attempt's segment, as a fetch asks for it; job and partition belong to the stream. */
export interface WantedSegment {
  readonly map: number;
  readonly attempt: number;
  readonly epoch: number;
}

export type FrameEntry =
  | { readonly kind: 'segment'; readonly segment: WantedSegment; readonly counts: SegmentCounts }
  | { readonly kind: 'missing'; readonly segment: WantedSegment }
  | { readonly kind: 'unreadable'; readonly segment: WantedSegment }
  | { readonly kind: 'end' };

const kindCodes = { segment: 1, missing: 2, unreadable: 3, end: 4 } as const;
const none: WantedSegment = { map: 0, attempt: 0, epoch: 0 };
const noCounts: SegmentCounts = { records: 0, bytes: 0, crc32: 0 };

/** Writes a header at `at`; returns the position after it. */
export function writeFrameHeader(target: Buffer, at: number, entry: FrameEntry): number {
  const segment = entry.kind === 'end' ? none : entry.segment;
  const counts = entry.kind === 'segment' ? entry.counts : noCounts;
  target.writeUInt32LE(kindCodes[entry.kind], at);
  target.writeUInt32LE(segment.map, at + 4);
  target.writeUInt32LE(segment.attempt, at + 8);
  target.writeUInt32LE(segment.epoch, at + 12);
  target.writeDoubleLE(counts.records, at + 16);
  target.writeDoubleLE(counts.bytes, at + 24);
  target.writeUInt32LE(counts.crc32, at + 32);
  return target.writeUInt32LE(0, at + 36);
}

/** Throws `corrupt` for bytes that are no header. */
export function readFrameHeader(bytes: Buffer, at: number): FrameEntry {
  if (bytes.length - at < frameHeaderBytes)
    throw new MillraceError('corrupt', 'a fetch frame ends inside a header');
  const kind = bytes.readUInt32LE(at);
  const segment = {
    map: bytes.readUInt32LE(at + 4),
    attempt: bytes.readUInt32LE(at + 8),
    epoch: bytes.readUInt32LE(at + 12),
  };
  if (kind === kindCodes.end) return { kind: 'end' };
  if (kind === kindCodes.missing) return { kind: 'missing', segment };
  if (kind === kindCodes.unreadable) return { kind: 'unreadable', segment };
  const counts = {
    records: bytes.readDoubleLE(at + 16),
    bytes: bytes.readDoubleLE(at + 24),
    crc32: bytes.readUInt32LE(at + 32),
  };
  const countsAreWhole = Number.isSafeInteger(counts.bytes) && Number.isSafeInteger(counts.records);
  if (kind !== kindCodes.segment || !countsAreWhole || counts.bytes < 0 || counts.records < 0) {
    throw new MillraceError('corrupt', `a fetch frame has a header of kind ${kind} that makes no sense`);
  }
  return { kind: 'segment', segment, counts };
}
