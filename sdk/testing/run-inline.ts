/**
 * A whole job in this thread, without a network: the real readers, codec, sort, spill files, merge, grouping and output
 * encoders, called one after another. What it skips is the coordinator, the slot threads and the shuffle over the wire.
 */
import { randomUUID } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chooseCutPoints, chooseSamples } from '../../coordinator/core/sample.ts';
import { coreConfigDefault } from '../../coordinator/core/state.ts';
import { listSplits } from '../../coordinator/list-splits.ts';
import { publishOutput } from '../../coordinator/output-folder.ts';
import { describeFailure } from '../../lib/attempt-failure.ts';
import { MillraceError } from '../../lib/errors.ts';
import { type AttemptId, formatTask, toJobId } from '../../lib/ids.ts';
import { collectBytes } from '../../lib/iterables.ts';
import type { Counters, JobSpec, SegmentCounts, Split, StagedPart } from '../../lib/job-spec.ts';
import { addCounts, noCounts } from '../../lib/segment-digest.ts';
import { createStores, type Stores } from '../../lib/store/resolve.ts';
import { RunReader } from '../../worker/shuffle/run-file.ts';
import type { SegmentSource } from '../../worker/shuffle/segment-reader.ts';
import { createProgress } from '../../worker/user/progress.ts';
import { runTask } from '../../worker/user/run-task.ts';
import type { SlotResult, SlotTask } from '../../worker/user/slot-messages.ts';
import { type Bundle, bundleJob } from '../bundle.ts';
import type { Job, OutputOf } from '../job-types.ts';
import { jobFileOf } from '../prepare-job.ts';
import { readCommitted, readOutput, readPart } from '../read-output.ts';
import { compileJobSpec, type SubmitOptions } from '../submit-options.ts';
import { encodeRecords } from './inline-input.ts';

export interface InlineOptions extends Pick<SubmitOptions, 'params' | 'maps' | 'splitSize' | 'reducers'> {
  /** The input records, as `map` gets them; instead of `input`. */
  readonly records?: readonly unknown[];
  /** Files, folders or globs; instead of `records`. */
  readonly input?: string | readonly string[];
}

export interface InlineResult<Out> {
  /** Output records of all partitions, in their order. */
  readonly output: Out[];
  /** The same, one array per partition. */
  readonly partitions: Out[][];
  /** The bytes of the output objects by name, `part-r-00000` and so on. */
  readonly parts: Readonly<Record<string, Uint8Array>>;
  readonly counters: Counters;
  /** What the job's functions logged, in order of the tasks. */
  readonly logs: string[];
}

/** Of jobs in memory: a test calls with the same job many times. */
const bundles = new WeakMap<object, Promise<Bundle>>();

/**
 * Runs a job on a few records or files, in at least two maps and two reduces unless told otherwise: what passes with one of
 * each may fail with more. The job's module is loaded afresh for every task, so state at module level cannot leak between
 * tasks here any more than on a cluster. Throws `job-failed` with the failure of the first task that fails.
 */
export async function runInline<J extends Job | string>(
  job: J,
  options: InlineOptions,
): Promise<InlineResult<J extends string ? unknown : OutputOf<J>>> {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-inline-'));
  try {
    const run = new InlineRun(await bundleOf(job), options, folder);
    return (await run.run()) as InlineResult<J extends string ? unknown : OutputOf<J>>;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function bundleOf(job: Job | string): Promise<Bundle> {
  const file = jobFileOf(job);
  if (typeof job === 'string') return bundleJob(file);
  const known = bundles.get(job) ?? bundleJob(file);
  bundles.set(job, known);
  return known;
}

class InlineRun {
  readonly #stores: Stores = createStores();
  readonly #bundle: Bundle;
  readonly #options: InlineOptions;
  readonly #folder: string;
  readonly #root = `mem://inline-${randomUUID()}/`;
  readonly #counters: Record<string, number> = {};
  readonly #logs: string[] = [];
  #tasks = 0;

  constructor(bundle: Bundle, options: InlineOptions, folder: string) {
    this.#bundle = bundle;
    this.#options = options;
    this.#folder = folder;
  }

  async run(): Promise<InlineResult<unknown>> {
    const spec = await this.#spec();
    const splits = await listSplits(spec, this.#stores);
    const cutPoints = await this.#cutPoints(spec, splits);
    const maps: Extract<SlotResult, { kind: 'map' }>[] = [];
    for (const [index, split] of splits.entries()) {
      maps.push(await this.#run(spec, { kind: 'map', split, cutPoints }, index));
    }
    const parts = spec.reducers === 0 ? maps.map((map) => map.part!) : await this.#reduce(spec, maps);
    await this.#publish(spec, maps, parts);
    return this.#result(spec, parts);
  }

  async #spec(): Promise<JobSpec> {
    const { records, input, maps, splitSize, reducers, params } = this.#options;
    if ((records === undefined) === (input === undefined)) {
      throw new MillraceError('invalid-argument', 'runInline takes either records or input');
    }
    const files = records && (await this.#writeRecords(records));
    const { bundleSha256, ...asked } = compileJobSpec(this.#bundle, {
      input: input ?? 'unused',
      output: join(this.#folder, 'output'),
      reducers: reducers ?? this.#bundle.descriptor.reducers ?? 2,
      ...(splitSize === undefined ? { maps: maps ?? 2 } : { splitSize }),
      ...(params && { params }),
    });
    const bundleUri = `${this.#root}bundle.mjs`;
    await this.#put(bundleUri, this.#bundle.code);
    return {
      ...asked,
      ...(files && { inputPatterns: files }),
      jobId: toJobId(randomUUID()),
      bundle: { uri: bundleUri, sha256: bundleSha256, bytes: this.#bundle.bytes },
      outputUri: `${this.#root}output/`,
      submittedAtMs: 0,
      partOffset: 0,
    };
  }

  async #writeRecords(records: readonly unknown[]): Promise<string[]> {
    const files = encodeRecords(records, this.#bundle.descriptor.input);
    const uris: string[] = [];
    for (const [index, bytes] of files.entries()) {
      const uri = `${this.#root}input/records-${String(index).padStart(6, '0')}`;
      await this.#put(uri, bytes);
      uris.push(uri);
    }
    return uris;
  }

  async #put(uri: string, bytes: Uint8Array): Promise<void> {
    const { store, key } = this.#stores.locate(uri);
    await store.putIfAbsent(key, bytes);
  }

  async #cutPoints(spec: JobSpec, splits: readonly Split[]): Promise<Uint8Array[]> {
    if (spec.partition !== 'range' || spec.reducers < 2) return [];
    const keys: Uint8Array[] = [];
    const samples = chooseSamples(splits, spec.input, coreConfigDefault);
    for (const [index, split] of samples.entries()) {
      const task = { kind: 'sample', split, keysMax: coreConfigDefault.sampleKeysMax } as const;
      keys.push(...(await this.#run(spec, task, index)).keys);
    }
    return chooseCutPoints(keys, spec.reducers);
  }

  async #reduce(
    spec: JobSpec,
    maps: readonly { readonly runPath: string | undefined }[],
  ): Promise<StagedPart[]> {
    const parts: StagedPart[] = [];
    for (let partition = 0; partition < spec.reducers; partition++) {
      const sources = maps.map((map, index) => segmentOf(map.runPath!, partition, index));
      const done = await this.#run(spec, { kind: 'reduce', maps: maps.length, sources }, partition);
      parts.push(done.part);
    }
    return parts;
  }

  async #publish(spec: JobSpec, maps: readonly MapNumbers[], parts: readonly StagedPart[]): Promise<void> {
    const counts = maps.flatMap((map) => map.segments).reduce(addCounts, noCounts);
    const success = {
      inputRecords: maps.reduce((sum, map) => sum + map.inputRecords, 0),
      inputBytes: maps.reduce((sum, map) => sum + map.inputBytes, 0),
      intermediateRecords: counts.records,
      intermediateBytes: counts.bytes,
      counters: this.#counters,
    };
    await publishOutput(this.#stores, { spec, parts, success });
  }

  async #result(spec: JobSpec, parts: readonly StagedPart[]): Promise<InlineResult<unknown>> {
    const committed = await readCommitted(this.#stores, spec.outputUri);
    const bytes: Record<string, Uint8Array> = {};
    for (const part of committed.parts) {
      bytes[part.key] = await collectBytes(readPart(this.#stores, spec.outputUri, part));
    }
    const output: unknown[] = [];
    for await (const record of readOutput(this.#stores, spec.outputUri)) output.push(record);
    const partitions: unknown[][] = [];
    let at = 0;
    for (const { records } of parts) {
      partitions.push(output.slice(at, at + records));
      at += records;
    }
    return { output, partitions, parts: bytes, counters: this.#counters, logs: this.#logs };
  }

  /** Each task in a folder of its own, with a copy of the bundle of its own: that is what loads the module afresh. */
  async #run<T extends TaskInput>(spec: JobSpec, input: T, index: number): Promise<ResultOf<T>> {
    const directory = join(this.#folder, `task-${this.#tasks++}`);
    mkdirSync(directory);
    const attempt: AttemptId = { jobId: spec.jobId, kind: input.kind, index, attempt: 0, epoch: 1 };
    const task = { spec, attempt, directory, bundleDirectory: directory, ...input } as SlotTask;
    const { end, counters } = await runTask(task, {
      stores: this.#stores,
      progress: createProgress(),
      signal: new AbortController().signal,
      log: (text) => this.#logs.push(text),
    });
    if (end.kind === 'failed') {
      const stack = end.failure.kind === 'user-error' && end.failure.stack ? `\n${end.failure.stack}` : '';
      const message = `task ${formatTask(attempt)}: ${describeFailure(end.failure)}${stack}`;
      throw new MillraceError('job-failed', message, { cause: end.failure });
    }
    if (input.kind !== 'sample') {
      for (const [name, value] of Object.entries(counters)) {
        this.#counters[name] = (this.#counters[name] ?? 0) + value;
      }
    }
    return end.result as ResultOf<T>;
  }
}

type MapNumbers = {
  readonly inputRecords: number;
  readonly inputBytes: number;
  readonly segments: readonly SegmentCounts[];
};
type TaskInput =
  | Pick<Extract<SlotTask, { kind: 'map' }>, 'kind' | 'split' | 'cutPoints'>
  | Pick<Extract<SlotTask, { kind: 'sample' }>, 'kind' | 'split' | 'keysMax'>
  | Pick<Extract<SlotTask, { kind: 'reduce' }>, 'kind' | 'maps' | 'sources'>;
type ResultOf<T extends TaskInput> = Extract<SlotResult, { kind: T['kind'] }>;

function segmentOf(path: string, partition: number, map: number): SegmentSource {
  using run = new RunReader(path);
  const { offset, ...counts } = run.segment(partition);
  return { kind: 'file', name: `map m${map}`, counts, path, offset };
}
