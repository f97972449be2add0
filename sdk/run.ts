/** `run`: a job on this machine, without a server; the same engine as a cluster's. */
import { collectBytes } from '../lib/iterables.ts';
import type { Counters } from '../lib/job-spec.ts';
import type { JobView } from '../lib/job-view.ts';
import { decodePart } from '../lib/output/decode-part.ts';
import { createStores } from '../lib/store/resolve.ts';
import type { SuccessManifest } from '../lib/success-manifest.ts';
import { type JobHandle, throwUnlessCompleted } from './handle.ts';
import type { Job, OutputOf } from './job-types.ts';
import { type LocalOptions, startLocal } from './local.ts';
import { prepareJob } from './prepare-job.ts';
import { readCommitted, readOutput, readPart } from './read-output.ts';
import type { SubmitOptions } from './submit-options.ts';

export interface RunOptions extends Omit<SubmitOptions, 'output'>, LocalOptions {
  /** Missing: the records come back, kept encoded in memory until they are read. Give one for results larger than that. */
  readonly output?: string;
}

/** A finished job. Iterate it, or `result()`, for the output records in the order of the parts; any number of times. */
export interface RunResult<Out> extends AsyncIterable<Out> {
  readonly view: JobView;
  readonly counters: Counters;
  result(): AsyncIterable<Out>;
}

/**
 * Runs a job to its end in this process and on its cores, and leaves nothing behind but the output.
 *
 *     const { counters } = await run(job, { input: 'logs/*.gz', output: 'out/' });
 *     for await (const [word, n] of await run(wordCount, { input: 'book.txt' })) console.log(word, n);
 *
 * Throws `job-failed` with the cause of a job that failed, `cancelled` when `signal` aborts, and what `Client.submit` throws.
 */
export async function run<J extends Job | string>(
  job: J,
  options: RunOptions,
): Promise<RunResult<J extends string ? unknown : OutputOf<J>>> {
  type Out = J extends string ? unknown : OutputOf<J>;
  const { signal } = options;
  const starting = startLocal(options);
  const preparing = prepareJob(
    job,
    starting.then(({ outputDir }) => ({ ...options, output: options.output ?? outputDir })),
  );
  // Reported below, when the cluster is there to be closed.
  preparing.catch(() => undefined);
  await using cluster = await starting;
  const { bundle, spec } = await preparing;
  const handle = await cluster.client.submitPrepared<Out>(bundle, spec, { signal });
  const view = await Promise.race([waitOrCancel(handle, signal), cluster.failed]);
  throwUnlessCompleted(view);
  const stores = createStores();
  const committed = options.output === undefined ? await holdOutput(view.outputUri) : undefined;
  const result = () =>
    (committed ? decodeHeld(committed) : readOutput(stores, view.outputUri)) as AsyncIterable<Out>;
  return {
    view,
    counters: view.counters,
    result,
    [Symbol.asyncIterator]: () => result()[Symbol.asyncIterator](),
  };
}

/** An abort ends the job too, not only the waiting. */
async function waitOrCancel(handle: JobHandle, signal: AbortSignal | undefined): Promise<JobView> {
  try {
    return await handle.wait({ signal });
  } catch (error) {
    if (signal?.aborted) await handle.cancel().catch(() => undefined);
    throw error;
  }
}

interface HeldOutput extends SuccessManifest {
  /** The stored bytes of each part. */
  readonly bytes: readonly Uint8Array[];
}

async function holdOutput(outputUri: string): Promise<HeldOutput> {
  const stores = createStores();
  const committed = await readCommitted(stores, outputUri);
  const bytes: Uint8Array[] = [];
  for (const part of committed.parts) {
    bytes.push(await collectBytes(readPart(stores, outputUri, part)));
  }
  return { ...committed, bytes };
}

async function* decodeHeld(held: HeldOutput): AsyncGenerator<unknown, void, void> {
  for (const [i, part] of held.parts.entries())
    yield* decodePart(one(held.bytes[i]!), held.output, part.columns);
}

async function* one(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, void> {
  yield bytes;
}
