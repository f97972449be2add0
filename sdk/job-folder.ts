/** What a coordinator keeps of a job in its store, `jobs/<id>/`: read back to run a part of the job again (docs/on-disk.md). */
import { open } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import type { AttemptFailure } from '../lib/attempt-failure.ts';
import { MillraceError } from '../lib/errors.ts';
import { formatTask, type JobId, type TaskRef } from '../lib/ids.ts';
import { collectBytes } from '../lib/iterables.ts';
import type { JobEventLine } from '../lib/job-event.ts';
import type { JobSpec, Split } from '../lib/job-spec.ts';
import { isKeptInputs, type KeptInputs, keptFolder, keptName, keptObjectName } from '../lib/kept-inputs.ts';
import { limits } from '../lib/limits.ts';
import { lineBlocks } from '../lib/line-blocks.ts';
import type { Stores } from '../lib/store/resolve.ts';
import { formatBytes } from '../lib/units.ts';

/** How an attempt of a task ended, as the events of its job tell. */
export interface PastAttempt {
  readonly attempt: number;
  readonly worker: string;
  readonly outcome: string;
  /** Null unless it failed. */
  readonly failure: AttemptFailure | null;
}

export class JobFolder {
  readonly #stores: Stores;
  readonly #uri: string;
  readonly #jobId: JobId;

  /** `storeUri` is the coordinator's, with a trailing slash. */
  constructor(stores: Stores, storeUri: string, jobId: JobId) {
    this.#stores = stores;
    this.#uri = `${storeUri}jobs/${jobId}/`;
    this.#jobId = jobId;
  }

  async spec(): Promise<JobSpec> {
    const bytes = await this.#read('spec.json');
    const spec = this.#parse(bytes.toString(), 'spec.json') as JobSpec;
    if (spec.jobId === this.#jobId && typeof spec.bundle?.uri === 'string') return spec;
    throw new MillraceError('corrupt', `${this.#uri}spec.json is not the spec of job ${this.#jobId}`);
  }

  /** What map task `index` reads. Throws `not-found` when the job has no such task. */
  async split(index: number): Promise<Split> {
    const { store, key } = this.#stores.locate(`${this.#uri}splits.jsonl`);
    if (!(await store.head(key))) {
      const why = 'its input was never listed, or by a version of Millrace that did not keep it';
      throw new MillraceError('not-found', `${this.#uri} has no splits.jsonl: ${why}`);
    }
    let at = 0;
    for await (const { bytes } of lineBlocks(store.read(key), { uri: this.#uri })) {
      for (const line of bytes.toString().trimEnd().split('\n')) {
        if (at++ === index) return this.#parse(line, `splits.jsonl, line ${at}`) as Split;
      }
    }
    throw new MillraceError('not-found', `job ${this.#jobId} has ${at} map tasks, m0 to m${at - 1}`);
  }

  /** What reduce task `index` had read when it first failed by its job's fault. Throws `not-found` when that was not kept, with the reason. */
  async keptInputs(spec: JobSpec, index: number): Promise<KeptInputs> {
    const { store, key } = this.#stores.locate(keptFolder(spec, index));
    const noInput = (why: string) =>
      new MillraceError(
        'not-found',
        `the input of r${index} was not kept: ${why}; run the job again, or replay a map that makes what it reads`,
      );
    if (!(await store.head(`${key}${keptName}`))) {
      throw noInput(
        'no attempt of it failed by an error of the job, a lack of memory or a timeout, or the store could not take it (millrace logs)',
      );
    }
    const text = (await collectBytes(store.read(`${key}${keptName}`))).toString();
    const where = `kept/r${index}/${keptName}`;
    const kept = this.#parse(text, where);
    if (!isKeptInputs(kept)) {
      const what = 'does not say what was kept: it was changed, or written by another version of Millrace';
      throw new MillraceError('corrupt', `${this.#uri}${where} ${what}`);
    }
    if (kept.objects > 0) return kept;
    if (kept.omitted === 'too-many') {
      const { keptReducesMax } = limits;
      throw noInput(
        `${keptReducesMax} other reduces of the job failed before it, and no more are kept of one job`,
      );
    }
    const [bytes, limit] = [kept.bytes, limits.keptInputBytesMax].map(formatBytes);
    throw noInput(`it has ${bytes}, over the limit of ${limit}; more reducers (--reducers) make it smaller`);
  }

  /** Writes the run file that was kept to a local path. Throws `corrupt` when it is not what was kept. */
  async fetchKept(spec: JobSpec, index: number, kept: KeptInputs, path: string): Promise<void> {
    const { store, key } = this.#stores.locate(keptFolder(spec, index));
    const { objects, crc32: crc } = kept;
    let seen = 0;
    await using file = await open(path, 'w');
    for (let at = 1; at <= objects; at++) {
      const range = { end: limits.keptObjectBytes };
      for await (const bytes of store.read(`${key}${keptObjectName(kept, at)}`, range)) {
        seen = crc32(bytes, seen);
        await file.writeFile(bytes);
      }
    }
    if (seen !== crc) throw new MillraceError('corrupt', `${this.#uri}kept/r${index}/ is not what was kept`);
  }

  /** Attempts of the task that have ended, in that order. */
  async attempts(task: TaskRef): Promise<PastAttempt[]> {
    const { store, key: prefix } = this.#stores.locate(`${this.#uri}events/`);
    const name = formatTask(task);
    const found: PastAttempt[] = [];
    for await (const { key } of store.list(prefix)) {
      const text = (await collectBytes(store.read(key))).toString();
      for (const line of text.trimEnd().split('\n')) {
        const event = this.#parse(line, key) as JobEventLine;
        if (event.type === 'attempt-ended' && event.task === name) {
          const { attempt, worker, outcome, failure } = event;
          found.push({ attempt, worker, outcome, failure });
        }
      }
    }
    return found;
  }

  async bundle({ bundle }: JobSpec): Promise<Buffer> {
    const { store, key } = this.#stores.locate(bundle.uri);
    return collectBytes(store.read(key));
  }

  async #read(name: string): Promise<Buffer> {
    const { store, key } = this.#stores.locate(`${this.#uri}${name}`);
    if (await store.head(key)) return collectBytes(store.read(key));
    throw new MillraceError(
      'not-found',
      `there is no job ${this.#jobId} in this store (${this.#uri}${name}); is --store (MILLRACE_STORE) that of its coordinator?`,
    );
  }

  #parse(text: string, where: string): object {
    try {
      const value: unknown = JSON.parse(text);
      if (typeof value === 'object' && value !== null) return value;
    } catch (cause) {
      throw new MillraceError('corrupt', `${this.#uri}${where} is not JSON`, { cause });
    }
    throw new MillraceError('corrupt', `${this.#uri}${where} is no JSON object`);
  }
}

export interface AttemptChoice {
  /** As the user said it. */
  readonly task: string;
  readonly attempt?: number | undefined;
  /** Whose input was kept; undefined for a map. */
  readonly kept: number | undefined;
}

/**
 * The attempt that was asked for, else the one whose input was kept, else the last that failed, else the first. Undefined when the events do not tell of
 * it: some are lost with a coordinator that dies. Throws `not-found` for one that was asked for when they tell of others only.
 */
export function chooseAttempt(
  past: readonly PastAttempt[],
  { task, attempt, kept }: AttemptChoice,
): PastAttempt | undefined {
  const wanted = attempt ?? kept;
  if (wanted === undefined) return past.findLast(({ failure }) => failure !== null) ?? past[0];
  const found = past.find((one) => one.attempt === wanted);
  if (found || attempt === undefined || past.length === 0) return found;
  const known = past.map((one) => `${one.attempt} (${one.outcome})`).join(', ');
  throw new MillraceError(
    'not-found',
    `${task} has no ended attempt ${attempt} (--attempt); there are ${known}`,
  );
}
