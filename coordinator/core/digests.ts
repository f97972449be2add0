/**
 * The digest of every (map, partition) segment, kept while some reduce is not done: four bytes each, or the low byte only
 * when there are so many that four would not fit (lib/segment-digest.ts says when; workers compare under the same mask).
 * Rows lie together in blocks: an array of its own costs more than the few bytes in it.
 */
import type { SegmentCounts } from '../../lib/job-spec.ts';
import { digestMask, segmentDigest } from '../../lib/segment-digest.ts';
import { IndexSet } from './index-set.ts';

type Block = Uint32Array | Uint8Array;

/** About; a block has one row at least. */
const blockDigests = 16_384;

export class DigestTable {
  /** Made when the first of their maps is accepted. */
  readonly #blocks: (Block | undefined)[];
  readonly #rowsPerBlock: number;
  readonly #accepted: IndexSet;
  readonly #reducers: number;
  readonly #mask: number;

  constructor(maps: number, reducers: number) {
    this.#rowsPerBlock = Math.max(1, Math.floor(blockDigests / Math.max(1, reducers)));
    this.#blocks = new Array(Math.ceil(maps / this.#rowsPerBlock)).fill(undefined);
    this.#accepted = new IndexSet(maps);
    this.#reducers = reducers;
    this.#mask = digestMask(maps, reducers);
  }

  /** Keeps what a map made, one entry per partition; returns the partitions for which an earlier attempt made something else. */
  replace(map: number, segments: readonly SegmentCounts[]): number[] {
    const changed = this.has(map) ? this.compare(map, segments) : [];
    const at = this.#rowOf(map);
    const block = this.#blocks[this.#blockOf(map)] ?? this.#createBlock();
    this.#blocks[this.#blockOf(map)] = block;
    for (let partition = 0; partition < this.#reducers; partition++) {
      block[at + partition] = this.#digest(segments[partition]!);
    }
    this.#accepted.add(map);
    return changed;
  }

  /** The partitions for which this is something else than what is kept of the map, which was accepted at least once. */
  compare(map: number, segments: readonly SegmentCounts[]): number[] {
    const unlike: number[] = [];
    for (let partition = 0; partition < this.#reducers; partition++) {
      if (this.get(map, partition) !== this.#digest(segments[partition]!)) unlike.push(partition);
    }
    return unlike;
  }

  has(map: number): boolean {
    return this.#accepted.has(map);
  }

  /** Of a map that was accepted at least once. */
  get(map: number, partition: number): number {
    return this.#blocks[this.#blockOf(map)]![this.#rowOf(map) + partition]!;
  }

  /** One per partition, of a map that was accepted at least once. */
  row(map: number): number[] {
    const at = this.#rowOf(map);
    return [...this.#blocks[this.#blockOf(map)]!.subarray(at, at + this.#reducers)];
  }

  #blockOf(map: number): number {
    return Math.floor(map / this.#rowsPerBlock);
  }

  /** Where its row begins in its block. */
  #rowOf(map: number): number {
    return (map % this.#rowsPerBlock) * this.#reducers;
  }

  #createBlock(): Block {
    const length = this.#rowsPerBlock * this.#reducers;
    return this.#mask === 0xff ? new Uint8Array(length) : new Uint32Array(length);
  }

  #digest(segment: SegmentCounts): number {
    return (segmentDigest(segment) & this.#mask) >>> 0;
  }
}
