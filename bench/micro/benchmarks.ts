/** All micro benchmarks, in the order in which a record meets what they measure. */
import { combineTable } from './combine-table.ts';
import { coreStep } from './core-step.ts';
import { fetchStream } from './fetch-stream.ts';
import { merge } from './merge.ts';
import type { Rate } from './rate.ts';
import { readLines } from './read-lines.ts';
import { runFile } from './run-file.ts';
import { sortBuffer } from './sort-buffer.ts';
import { store } from './store.ts';
import { valueCodec } from './value-codec.ts';

export interface MicroBenchmark {
  readonly run: () => Promise<readonly Rate[]>;
  /** It needs what not every machine has. */
  readonly isOnlyByName?: boolean;
}

export const microBenchmarks: ReadonlyMap<string, MicroBenchmark> = new Map<string, MicroBenchmark>([
  ['read-lines', { run: readLines }],
  ['value-codec', { run: valueCodec }],
  ['combine-table', { run: combineTable }],
  ['sort-buffer', { run: sortBuffer }],
  ['run-file', { run: runFile }],
  ['fetch-stream', { run: fetchStream }],
  ['merge', { run: merge }],
  ['core-step', { run: coreStep }],
  ['store', { run: store, isOnlyByName: true }],
]);
