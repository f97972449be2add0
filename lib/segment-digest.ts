/**
 * A 32-bit digest of a segment's counts. The coordinator keeps only this per (map, partition) and pushes it with the
 * location; a reduce compares it with the index entry it fetched, so a wrong or stale index never passes (I13), and a rerun
 * that made something else is noticed per partition (I3). Finalizer of murmur3 over each word.
 */
import type { SegmentCounts } from './job-spec.ts';

function mix(hash: number, word: number): number {
  let h = (hash ^ word) >>> 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

export function segmentDigest(counts: SegmentCounts): number {
  let hash = mix(0x9e3779b9, counts.records % 2 ** 32);
  hash = mix(hash, Math.floor(counts.records / 2 ** 32));
  hash = mix(hash, counts.bytes % 2 ** 32);
  hash = mix(hash, Math.floor(counts.bytes / 2 ** 32));
  return mix(hash, counts.crc32);
}

/** Above this many (map, partition) pairs only the low byte of a digest is kept and compared. */
const fullDigestPairsMax = 16_000_000;

/**
 * What of a digest counts in a job of this size: all 32 bits, or the low byte when the pairs are too many to keep more.
 * Both sides apply it: a location carries `digest & mask`, and a reduce masks its own before it compares.
 */
export function digestMask(maps: number, reducers: number): number {
  return maps * reducers > fullDigestPairsMax ? 0xff : 0xffffffff;
}

/** The order-independent sum used for audits: counts add up, crc32 modulo 2^32. */
export function addCounts(a: SegmentCounts, b: SegmentCounts): SegmentCounts {
  return { records: a.records + b.records, bytes: a.bytes + b.bytes, crc32: (a.crc32 + b.crc32) % 2 ** 32 };
}

export const noCounts: SegmentCounts = { records: 0, bytes: 0, crc32: 0 };

/** For messages. */
export function formatCrc32(crc32: number): string {
  return crc32.toString(16).padStart(8, '0');
}
