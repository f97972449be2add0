/**
 * The k-way merge of sorted segments. Equal keys come in the order of their sources, then in the order within a source, so the
 * result does not depend on when segments arrived. A loser tree on the first 53 bits of the keys; bytes decide only ties.
 */
import { rmSync } from 'node:fs';
import { compareBytes, type PartitionedPairs } from '../../lib/codec/pair.ts';
import { limits } from '../../lib/limits.ts';
import { RunWriter, runBytes } from './run-file.ts';
import { type ScratchSpace, unlimitedSpace } from './scratch-space.ts';
import { SegmentReader, type SegmentSource } from './segment-reader.ts';

const chunkBytesMax = 256 * 1024;
const chunkBytesMin = 16 * 1024;
const memoryBytesDefault = 16 * 1024 * 1024;
/** Whole bytes that the 53-bit prefix holds. */
const prefixBytes = 6;

export interface MergeOptions {
  /** For the chunks of all file sources together; each gets at least 16 KiB. */
  readonly memoryBytes?: number;
  /** What the cursor says its pairs belong to; default 0. */
  readonly partition?: number;
}

/**
 * The merged stream. Holds open files: `close` it, also after an error. Throws `corrupt` naming the source whose bytes or records
 * are not what its counts say, for a file only after its last pair was handed out. An exhausted source frees its file at once.
 */
export class MergeCursor implements PartitionedPairs {
  readonly partition: number;
  bytes: Buffer = Buffer.alloc(0);
  pairStart = 0;
  keyStart = 0;
  keyEnd = 0;
  valueStart = 0;
  valueEnd = 0;
  readonly #readers: SegmentReader[] = [];
  /** First 53 bits of each reader's key; Infinity when it is exhausted. */
  readonly #prefixes: Float64Array;
  /** `[node]`: the reader that lost there; `[0]`: the winner. Leaf i is node i + k. */
  readonly #tree: Int32Array;
  #started = false;

  constructor(sources: readonly SegmentSource[], options: MergeOptions = {}) {
    const share = Math.floor((options.memoryBytes ?? memoryBytesDefault) / Math.max(sources.length, 1));
    const chunkBytes = Math.max(chunkBytesMin, Math.min(share, chunkBytesMax));
    this.partition = options.partition ?? 0;
    this.#prefixes = new Float64Array(sources.length);
    this.#tree = new Int32Array(Math.max(sources.length, 1)).fill(-1);
    try {
      for (const source of sources) this.#readers.push(new SegmentReader(source, chunkBytes));
    } catch (thrown) {
      this.close();
      throw thrown;
    }
  }

  advance(): boolean {
    if (!this.#started) this.#start();
    else {
      const winner = this.#tree[0]!;
      if (winner < 0) return false;
      this.#load(winner);
      this.#replay(winner);
    }
    return this.#show();
  }

  close(): void {
    for (const reader of this.#readers) reader.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #start(): void {
    this.#started = true;
    for (let index = 0; index < this.#readers.length; index++) {
      this.#load(index);
      this.#enter(index);
    }
  }

  #show(): boolean {
    const winner = this.#tree[0]!;
    if (winner < 0 || this.#prefixes[winner] === Number.POSITIVE_INFINITY) return false;
    const reader = this.#readers[winner]!;
    this.bytes = reader.bytes;
    this.pairStart = reader.pairStart;
    this.keyStart = reader.keyStart;
    this.keyEnd = reader.keyEnd;
    this.valueStart = reader.valueStart;
    this.valueEnd = reader.valueEnd;
    return true;
  }

  #load(index: number): void {
    const reader = this.#readers[index]!;
    if (reader.advance()) this.#prefixes[index] = keyPrefix(reader.bytes, reader.keyStart, reader.keyEnd);
    else {
      this.#prefixes[index] = Number.POSITIVE_INFINITY;
      reader.close();
    }
  }

  /** Puts a reader into the tree while it is being built: it stays where nobody waits yet. */
  #enter(index: number): void {
    let winner = index;
    for (let node = (index + this.#readers.length) >> 1; node > 0; node >>= 1) {
      const waiting = this.#tree[node]!;
      if (waiting < 0) {
        this.#tree[node] = winner;
        return;
      }
      if (this.#isBefore(waiting, winner)) {
        this.#tree[node] = winner;
        winner = waiting;
      }
    }
    this.#tree[0] = winner;
  }

  #replay(index: number): void {
    const tree = this.#tree;
    const prefixes = this.#prefixes;
    let winner = index;
    let prefix = prefixes[index]!;
    for (let node = (index + this.#readers.length) >> 1; node > 0; node >>= 1) {
      const waiting = tree[node]!;
      const waitingPrefix = prefixes[waiting]!;
      if (waitingPrefix < prefix || (waitingPrefix === prefix && this.#isBefore(waiting, winner))) {
        tree[node] = winner;
        winner = waiting;
        prefix = waitingPrefix;
      }
    }
    tree[0] = winner;
  }

  #isBefore(a: number, b: number): boolean {
    const difference = this.#prefixes[a]! - this.#prefixes[b]!;
    // Not a number when both are exhausted; then their order does not matter.
    if (difference !== 0) return difference < 0;
    const left = this.#readers[a]!;
    const right = this.#readers[b]!;
    const skip = Math.min(prefixBytes, left.keyEnd - left.keyStart, right.keyEnd - right.keyStart);
    const order = compareBytes(
      left.bytes,
      left.keyStart + skip,
      left.keyEnd,
      right.bytes,
      right.keyStart + skip,
      right.keyEnd,
    );
    return order < 0 || (order === 0 && a < b);
  }
}

/** The first 53 bits of a key as a number that orders like them; missing bytes count as zero. */
function keyPrefix(bytes: Buffer, start: number, end: number): number {
  let high: number;
  let low: number;
  if (end - start >= 7) {
    high = (bytes[start]! << 24) | (bytes[start + 1]! << 16) | (bytes[start + 2]! << 8) | bytes[start + 3]!;
    low = (bytes[start + 4]! << 16) | (bytes[start + 5]! << 8) | bytes[start + 6]!;
  } else {
    high = 0;
    low = 0;
    for (let index = 0; index < 7; index++) {
      const byte = start + index < end ? bytes[start + index]! : 0;
      if (index < 4) high = (high << 8) | byte;
      else low = (low << 8) | byte;
    }
  }
  return (high >>> 0) * 0x200000 + (low >> 3);
}

/**
 * Brings a list down to at most `fanInMax` by merging neighbours, so that the order of sources, which decides ties, stays. Merges no
 * more than it must; several passes when one is not enough. `mergeGroup` turns a group into one and frees its parts.
 */
export function mergeDown<T>(
  items: readonly T[],
  fanInMax: number,
  mergeGroup: (group: readonly T[]) => T,
): readonly T[] {
  let list = items;
  while (list.length > fanInMax) {
    const next: T[] = [];
    let at = 0;
    while (at < list.length) {
      const excess = next.length + list.length - at - fanInMax;
      const size = Math.min(fanInMax, excess + 1);
      if (size < 2) break;
      const group = list.slice(at, at + size);
      next.push(group.length > 1 ? mergeGroup(group) : group[0]!);
      at += group.length;
    }
    list = [...next, ...list.slice(at)];
  }
  return list;
}

/** Merges segments into a run file with a single partition, and returns it as a source. Throws `no-space`, `corrupt`. */
export function mergeToRun(
  sources: readonly SegmentSource[],
  path: string,
  options: MergeOptions & { readonly space?: ScratchSpace | undefined } = {},
): SegmentSource {
  const pairBytes = sources.reduce((sum, { counts }) => sum + counts.bytes, 0);
  const writer = new RunWriter(path, 1, { space: options.space ?? unlimitedSpace, pairBytes });
  try {
    using merged = new MergeCursor(sources, options);
    while (merged.advance()) writer.append(0, merged.bytes, merged.pairStart, merged.valueEnd);
    const segment = writer.finish().segments[0]!;
    return { kind: 'file', name: path, path, offset: segment.offset, counts: segment };
  } catch (thrown) {
    writer.abort();
    throw thrown;
  }
}

/**
 * {@link MergeCursor} for any number of segments: over the fan-in, neighbours are merged into temporary runs first. `newPath` names
 * each; they are removed as soon as they have been opened or merged on, so nothing is left behind.
 */
export function mergeSegments(
  sources: readonly SegmentSource[],
  newPath: () => string,
  options: MergeOptions & { readonly fanInMax?: number; readonly space?: ScratchSpace | undefined } = {},
): MergeCursor {
  const temporary = new Set<SegmentSource>();
  const removeAll = (group: Iterable<SegmentSource>): number => {
    let bytes = 0;
    for (const source of group) {
      if (!temporary.delete(source) || source.kind !== 'file') continue;
      rmSync(source.path, { force: true });
      bytes += runBytes(source.counts.bytes, 1);
    }
    return bytes;
  };
  try {
    const few = mergeDown(sources, options.fanInMax ?? limits.mergeFanInMax, (group) => {
      const merged = mergeToRun(group, newPath(), options);
      temporary.add(merged);
      options.space?.give(removeAll(group));
      return merged;
    });
    return new MergeCursor(few, options);
  } finally {
    // An open file lives on without its name, and so does its space.
    removeAll([...temporary]);
  }
}
