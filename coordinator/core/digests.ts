/**
 * The digest of every (map, partition) segment, kept while some reduce is not done: four bytes each, or the low byte only
 * when there are so many that four would not fit (lib/segment-digest.ts says when; workers compare under the same mask).
 */
import type { SegmentCounts } from '../../lib/job-spec.ts';
import { digestMask, segmentDigest } from '../../lib/segment-digest.ts';

export class DigestTable {
  readonly #rows: (Uint32Array | Uint8Array | undefined)[];
  readonly #reducers: number;
  readonly #mask: number;

  constructor(maps: number, reducers: number) {
    this.#rows = new Array(maps).fill(undefined);
    this.#reducers = reducers;
    this.#mask = digestMask(maps, reducers);
  }

  /** Keeps what a map made, one entry per partition; returns the partitions for which an earlier attempt made something else. */
  replace(map: number, segments: readonly SegmentCounts[]): number[] {
    const changed = this.has(map) ? this.compare(map, segments) : [];
    const row =
      this.#rows[map] ??
      (this.#mask === 0xff ? new Uint8Array(this.#reducers) : new Uint32Array(this.#reducers));
    for (let partition = 0; partition < this.#reducers; partition++) {
      row[partition] = this.#digest(segments[partition]!);
    }
    this.#rows[map] = row;
    return changed;
  }

  /** The partitions for which this is something else than what is kept of the map, which was accepted at least once. */
  compare(map: number, segments: readonly SegmentCounts[]): number[] {
    const row = this.#rows[map]!;
    const unlike: number[] = [];
    for (let partition = 0; partition < this.#reducers; partition++) {
      if (row[partition] !== this.#digest(segments[partition]!)) unlike.push(partition);
    }
    return unlike;
  }

  has(map: number): boolean {
    return this.#rows[map] !== undefined;
  }

  /** Of a map that was accepted at least once. */
  get(map: number, partition: number): number {
    return this.#rows[map]![partition]!;
  }

  /** One per partition, of a map that was accepted at least once. */
  row(map: number): number[] {
    return [...this.#rows[map]!];
  }

  #digest(segment: SegmentCounts): number {
    return (segmentDigest(segment) & this.#mask) >>> 0;
  }
}
