/**
 * Where a map attempt emits to: combine table or sort buffer, spills when full, and one run file at the end, whatever came before.
 */

import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { AggregatorData, AggregatorState } from '../../lib/aggregator.ts';
import { decodeKey } from '../../lib/codec/key-codec.ts';
import type { SegmentCounts } from '../../lib/job-spec.ts';
import { limits } from '../../lib/limits.ts';
import type { RunSummary } from '../shuffle/run-file.ts';
import { type ScratchSpace, unlimitedSpace } from '../shuffle/scratch-space.ts';
import { type CombineFunction, type Combiner, createCombiner } from './combine.ts';
import { CombineTable, isNumberOp, type NumberOp } from './combine-table.ts';
import { mergeSpills } from './merge-spills.ts';
import { createPartitioner, type Partitioner, type Partitioning } from './partition.ts';
import type { RecordSpans } from './record-spans.ts';
import { SortBuffer } from './sort-buffer.ts';
import { spill } from './spill.ts';

export interface PairCollectorOptions {
  /** An existing folder; spills lie here too. */
  readonly directory: string;
  /** Of the output file. Temporary files begin with it. */
  readonly fileName: string;
  /** R, at least 1. */
  readonly partitions: number;
  readonly partitioning: Partitioning;
  readonly combine?: AggregatorData | CombineFunction;
  readonly sortBufferBytes?: number;
  readonly combineTableBytes?: number;
  readonly mergeFanInMax?: number;
  /** Default: as much as the disk holds. */
  readonly space?: ScratchSpace | undefined;
}

export interface MapOutputSummary {
  readonly path: string;
  /** Of the whole file. */
  readonly bytes: number;
  /** What `emit` was given, before combining. */
  readonly emittedRecords: number;
  /** Runs written because the buffer was full, and their bytes. */
  readonly spills: number;
  readonly spillBytes: number;
  /** `[p]` is partition p. */
  readonly segments: readonly SegmentCounts[];
}

export interface MapOutput {
  /** Throws `not-encodable`, `limit-exceeded`, `invalid-argument` for what the job did wrong, and `no-space`. */
  emit(key: unknown, value: unknown): void;
  /** Emits all records that were read and not taken yet; false, with none emitted, when it has to be given the records themselves. */
  emitSpans(spans: RecordSpans): boolean;
  /** Writes what is left and makes the one file. Nothing may be emitted afterwards. */
  finish(): MapOutputSummary;
  /** Removes every file of it, finished or not. */
  abort(): void;
}

/** A table that merges fewer values than this into a key on average costs more than it saves. */
const usefulValuesPerKey = 1.5;

export function createMapOutput(options: PairCollectorOptions): MapOutput {
  return new PairCollector(options);
}

class PairCollector implements MapOutput {
  readonly #options: PairCollectorOptions;
  readonly #path: string;
  readonly #space: ScratchSpace;
  readonly #partitioner: Partitioner;
  readonly #combiner: Combiner | undefined;
  readonly #lift: AggregatorState | undefined;
  readonly #op: NumberOp | undefined;
  /** Present while it pays and all values are numbers. */
  #table: CombineTable | undefined;
  /** Made when first needed: a job that combines well may never do. */
  #buffer: SortBuffer | undefined;
  #runs: RunSummary[] = [];
  #spills = 0;
  #spillBytes = 0;
  #temporaryPaths: string[] = [];
  #emitted = 0;

  constructor(options: PairCollectorOptions) {
    this.#options = options;
    this.#path = join(options.directory, options.fileName);
    this.#space = options.space ?? unlimitedSpace;
    this.#partitioner = createPartitioner(options.partitioning, options.partitions);
    this.#combiner = options.combine && createCombiner(options.combine);
    this.#lift = this.#combiner?.kind === 'aggregator' ? this.#combiner.state : undefined;
    if (typeof options.combine === 'object' && isNumberOp(options.combine.op)) {
      this.#op = options.combine.op;
      this.#table = new CombineTable(this.#op, options.combineTableBytes);
    }
  }

  emit(key: unknown, value: unknown): void {
    if (!this.#addToTable(key, value)) this.#addSorted(key, value);
    this.#emitted++;
  }

  emitSpans(spans: RecordSpans): boolean {
    // The other aggregators look at values, and a partition function of the job at keys.
    const isCount = this.#op === 'count';
    if ((this.#lift !== undefined && !isCount) || this.#options.partitioning.kind === 'custom') return false;
    this.#emitted += (spans.end - spans.at) >> 1;
    while (this.#table !== undefined && !this.#table.addSpans(spans, 1)) this.#makeRoom(this.#table);
    this.#sortSpans(spans, isCount);
    return true;
  }

  finish(): MapOutputSummary {
    if (this.#table !== undefined) this.#leaveTable(this.#table);
    const run = this.#finishRuns();
    this.#closeBuffer();
    const { path, bytes, segments } = run;
    return {
      path,
      bytes,
      emittedRecords: this.#emitted,
      spills: this.#spills,
      spillBytes: this.#spillBytes,
      segments,
    };
  }

  abort(): void {
    this.#closeBuffer();
    this.#closeTable();
    for (const path of [...this.#temporaryPaths, this.#path]) rmSync(path, { force: true });
  }

  #closeTable(): void {
    this.#table?.close();
    this.#table = undefined;
  }

  #closeBuffer(): void {
    this.#buffer?.close();
    this.#buffer = undefined;
  }

  #finishRuns(): RunSummary {
    const { partitions, mergeFanInMax } = this.#options;
    const buffer = this.#sortBuffer();
    if (this.#runs.length === 0) return spill(buffer, this.#path, partitions, this.#combiner, this.#space);
    if (buffer.records > 0) this.#spill(buffer);
    return mergeSpills(this.#runs, this.#path, {
      partitions,
      combiner: this.#combiner,
      newPath: () => this.#newPath(),
      space: this.#space,
      ...(mergeFanInMax !== undefined && { fanInMax: mergeFanInMax }),
    });
  }

  #addSorted(key: unknown, value: unknown): void {
    const state = this.#lift === undefined ? value : this.#lift.lift(value);
    const buffer = this.#sortBuffer();
    while (!buffer.add(key, state)) this.#spill(buffer);
  }

  #sortSpans(spans: RecordSpans, isCount: boolean): void {
    const { bytes, bounds, tag, valueBytes } = spans;
    const buffer = this.#sortBuffer();
    for (; spans.at < spans.end; spans.at += 2) {
      const start = bounds[spans.at]!;
      const keyEnd = bounds[spans.at + 1]!;
      const value = isCount ? 1 : null;
      const end = isCount || valueBytes === undefined ? undefined : keyEnd + valueBytes;
      while (!buffer.addSpan(tag, bytes, start, keyEnd, end, value)) this.#spill(buffer);
    }
  }

  /** False when there is no table, or not for such values. */
  #addToTable(key: unknown, value: unknown): boolean {
    for (let table = this.#table; table !== undefined; table = this.#table) {
      if (typeof value === 'number' || this.#op === 'count') {
        if (table.add(key, value as number)) return true;
        this.#makeRoom(table);
      } else this.#leaveTable(table);
    }
    return false;
  }

  /** After the table refused a pair. One that does not pay goes, and so does an empty one: the key is too long for it. */
  #makeRoom(table: CombineTable): void {
    const pays = table.keys > 0 && table.adds >= table.keys * usefulValuesPerKey;
    if (pays) this.#drain(table);
    else this.#leaveTable(table);
  }

  #leaveTable(table: CombineTable): void {
    while (!table.settle()) this.#drain(table);
    this.#drain(table);
    this.#closeTable();
  }

  #drain(table: CombineTable): void {
    if (table.keys === 0) return;
    const buffer = this.#sortBuffer();
    const entries = table.entries();
    const custom = this.#options.partitioning.kind === 'custom';
    while (entries.advance()) {
      const { bytes, keyStart, keyEnd } = entries;
      const key = custom ? decodeKey(bytes, keyStart, keyEnd) : undefined;
      const partition = this.#partitioner(bytes, keyStart, keyEnd, key);
      while (!buffer.addEncoded(partition, entries)) this.#spill(buffer);
    }
    table.clear();
  }

  #sortBuffer(): SortBuffer {
    this.#buffer ??= new SortBuffer(
      this.#partitioner,
      this.#options.sortBufferBytes ?? limits.sortBufferBytesDefault,
    );
    return this.#buffer;
  }

  #spill(buffer: SortBuffer): void {
    const run = spill(buffer, this.#newPath(), this.#options.partitions, this.#combiner, this.#space);
    this.#runs.push(run);
    this.#spills++;
    this.#spillBytes += run.bytes;
  }

  #newPath(): string {
    const path = `${this.#path}.spill-${this.#temporaryPaths.length}`;
    this.#temporaryPaths.push(path);
    return path;
  }
}
