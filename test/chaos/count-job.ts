/** The job that partitions are tested with: a word count from bucket to bucket whose tasks take time, watched from outside while it runs. */
import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { partName } from '../../lib/formats.ts';
import type { JobState, JobView } from '../../lib/job-view.ts';
import type { JobHandle } from '../../sdk/handle.ts';
import type { Bucket } from '../e2e/bucket.ts';
import { waitFor } from '../e2e/cluster.ts';
import { untilNone } from '../until.ts';
import type { ChaosCluster } from './chaos-cluster.ts';

const jobFile = join(import.meta.dirname, '../e2e/jobs/slow-word-count.ts');
export const maps = 12;
export const reducers = 6;
const pace = { mapMs: 400, reduceMs: 150 };
const watchMs = 150;

const words = ['river', 'mill', 'wheel', 'race', 'stone', 'grain', 'flour', 'sack', 'Mill', 'weir'];
/** Its input. */
export const plainText = Array.from(
  { length: 2_400 },
  (_, i) => `${words[i % 10]} ${words[(i * 7) % 9]} w${'abcdefgh'[i % 8]}x\n`,
).join('');

/** What a plain count of the text gives, sorted. Nothing of ours takes part in that. */
export function plainCount(): string[] {
  const counts = new Map<string, number>();
  for (const word of plainText.match(/[A-Za-z]+/g) ?? []) counts.set(word, (counts.get(word) ?? 0) + 1);
  return [...counts].map(([word, count]) => `${word}\t${count}`).sort();
}

/** By name, as `Bucket.parts` gives them. */
export type Parts = Readonly<Record<string, string>>;

export interface CountOutcome {
  readonly seconds: number;
  /** Map and reduce attempts that user code began on, beyond one of each task. */
  readonly mapsAgain: number;
  readonly reducesAgain: number;
  readonly parts: Parts;
}

export class CountJob implements AsyncDisposable {
  readonly output: string;
  readonly handle: JobHandle;
  readonly #cluster: ChaosCluster;
  readonly #notes: string;
  readonly #startedMs = performance.now();
  readonly #ended = new AbortController();
  /** What was seen that nobody may see. */
  readonly #early: string[] = [];
  readonly #watching: Promise<void>;

  private constructor(cluster: ChaosCluster, output: string, notes: string, handle: JobHandle) {
    this.#cluster = cluster;
    this.output = output;
    this.#notes = notes;
    this.handle = handle;
    this.#watching = this.#watch();
  }

  static async submit(cluster: ChaosCluster, name: string): Promise<CountJob> {
    await cluster.bucket.put('text.txt', plainText);
    const notes = join(cluster.folder, `notes-${name}`);
    mkdirSync(notes);
    const places = { input: [cluster.bucket.uri('text.txt')], output: cluster.bucket.uri(name) };
    const params = { ...pace, notes };
    const handle = await cluster.client.submit(jobFile, { ...places, maps, reducers, params });
    return new CountJob(cluster, `${name}/`, notes, handle);
  }

  get partKeys(): string[] {
    return partNames.map((name) => `${this.output}${name}`);
  }

  /** Throws when the job ends before it is seen like that. */
  until(wanted: (view: JobView) => boolean): Promise<JobView> {
    return waitFor(this.handle, wanted);
  }

  /**
   * Resolves when the job has completed, with output that nobody saw early, that is whole. Throws with what is wrong,
   * also when it has not ended after `timeoutMs`.
   */
  async outcome(timeoutMs: number): Promise<CountOutcome> {
    const view = await this.handle.wait({ signal: AbortSignal.timeout(timeoutMs) });
    const seconds = (performance.now() - this.#startedMs) / 1000;
    if (view.state !== 'COMPLETED') throw new Error(`the job is ${view.state}: ${view.cause?.message}`);
    await this[Symbol.asyncDispose]();
    const begun = readdirSync(this.#notes);
    const count = (kind: string) => begun.filter((note) => note.startsWith(kind)).length;
    const parts = await this.#cluster.bucket.parts(this.output);
    await this.#check(parts);
    return { seconds, mapsAgain: count('m') - maps, reducesAgain: count('r') - reducers, parts };
  }

  /** Looks at the output no longer. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended.abort();
    await this.#watching;
  }

  async #check(parts: Parts): Promise<void> {
    if (this.#early.length > 0) throw new Error(`visible too early: ${this.#early.join('; ')}`);
    const counted = Object.values(parts).join('').trimEnd().split('\n').sort();
    if (!isDeepStrictEqual(counted, plainCount())) throw new Error(`wrong counts: ${counted.join(', ')}`);
    const keys = await this.#cluster.bucket.keys(this.output);
    const names = [`${this.output}_SUCCESS`, ...this.partKeys];
    if (!isDeepStrictEqual(keys, names)) throw new Error(`the output has ${keys.join(', ')}`);
  }

  /** No part before the commit, no `_SUCCESS` before the last part. */
  async #watch(): Promise<void> {
    let isCommitting = false;
    while (!this.#ended.signal.aborted) {
      const seen = await this.#cluster.bucket.keys(this.output);
      if (seen.includes(`${this.output}_SUCCESS`) && seen.length <= reducers)
        this.#early.push(`_SUCCESS beside ${seen.length - 1} parts`);
      if (seen.length > 0 && !isCommitting) {
        // Asked after the look: a job goes on, never back.
        const state = await this.#state();
        isCommitting = state !== undefined && committed.has(state);
        if (state !== undefined && !isCommitting) this.#early.push(`${seen.join(', ')} while ${state}`);
      }
      await new Promise((resolve) => setTimeout(resolve, watchMs));
    }
  }

  /** Undefined while nobody can say. A leader that was cut off answers, until it hears that another one leads, as things were when it led. */
  async #state(): Promise<JobState | undefined> {
    const { signal } = this.#ended;
    try {
      const leads = [await this.#isOfTheLeader()];
      const { state } = await this.handle.status({ signal });
      leads.push(await this.#isOfTheLeader());
      return leads.every(Boolean) ? state : undefined;
    } catch {
      return undefined;
    }
  }

  /** Whether it is the one that leads by `leader.json` that answers this client. */
  async #isOfTheLeader(): Promise<boolean> {
    const { epoch } = await this.#cluster.client.cluster({ signal: this.#ended.signal });
    return (await this.#cluster.bucket.json('cluster/leader.json')).epoch === epoch;
  }
}

const committed: ReadonlySet<JobState> = new Set(['COMMITTING', 'COMPLETED']);
const partNames = Array.from({ length: reducers }, (_, i) => partName('reduce', i));

/** Resolves when nothing is staged for these keys: who was cut off drops what it began when it hears that nobody wants it. Throws after `timeoutMs`. */
export async function untilNothingStaged(
  bucket: Bucket,
  keys: readonly string[],
  timeoutMs: number,
): Promise<void> {
  await untilNone('nothing is staged', () => bucket.pending(keys), timeoutMs);
}
