/** What must hold after every event and at the end. The numbers are those of docs/failure-model.md. */
import type { Effect, PersistRecord } from '../../coordinator/core/effects.ts';
import type { CoreState } from '../../coordinator/core/state.ts';
import { viewJob } from '../../coordinator/core/view.ts';
import { successName } from '../../lib/formats.ts';
import type { JobId } from '../../lib/ids.ts';
import { collectBytes } from '../../lib/iterables.ts';
import { readManifest } from '../../lib/success-manifest.ts';
import { type FaultKind, simulated } from './faults.ts';
import type { SimJob } from './sim-job.ts';
import type { World } from './world.ts';

export class Violation extends Error {
  override name = 'Violation';
}

interface LogHead {
  readonly seq: number;
  readonly epoch: number;
}

/** Ends that a job may have because of what was done to it: what its cause says, or the kind of the failure behind it. */
const excuses: readonly { readonly says: RegExp; readonly kinds: readonly FaultKind[] }[] = [
  {
    says: new RegExp(simulated),
    kinds: [
      'store fails before',
      'store fails after',
      'store says 409',
      'store body ends early',
      'store out of reach',
      'partition',
      'disk full',
    ],
  },
  {
    says: /worker-lost/,
    kinds: ['worker killed', 'worker restarted', 'worker paused', 'partition', 'one-way partition'],
  },
  { says: /corrupt/, kinds: ['run file damaged', 'run file gone', 'fetch byte flipped'] },
];

export class Checker {
  readonly #world: World;
  #last: LogHead = { seq: 0, epoch: 0 };
  /** Records that are durable, by the epoch that wrote them. */
  readonly #durable = new Map<number, number>();
  readonly #entries = new Map<number, string>();
  readonly #accepted = new Set<string>();
  readonly #committing = new Set<string>();
  violation: Violation | undefined;

  constructor(world: World) {
    this.#world = world;
  }

  fail(message: string): void {
    if (this.violation) return;
    this.#world.trace(`VIOLATION ${message}`);
    this.violation = new Violation(message);
  }

  /** Durably. */
  wasAccepted(jobId: string): boolean {
    return this.#accepted.has(jobId);
  }

  /** An object was made or replaced. */
  async becameVisible(by: string, key: string): Promise<void> {
    if (/^coordinator\/log\/\d+$/.test(key)) return this.#logged(await this.#textOf(key));
    const [, jobId, name] = /^out\/([^/]+)\/(.+)$/.exec(key) ?? [];
    if (jobId === undefined || name === undefined) return;
    this.#world.count(name === successName ? 'visible: _SUCCESS' : 'visible: part');
    if (!by.startsWith('coordinator')) this.fail(`${by} made ${key} visible (I5)`);
    if (!this.#committing.has(jobId)) this.fail(`${key} is visible before the job commits (I6)`);
    if (name === successName) await this.#checkOutput(jobId);
  }

  /** Before an effect runs, all that was decided up to it is durable (I7). */
  performing(effect: Effect, epoch: number, decided: number): void {
    if ((this.#durable.get(epoch) ?? 0) < decided)
      this.fail(`${effect.type} runs before its decision is durable (I7)`);
  }

  ended(state: CoreState, jobId: JobId): void {
    const view = viewJob(state, jobId);
    const job = this.#world.jobs.get(jobId)!;
    if (!view || view.state === 'COMPLETED') return;
    this.#world.count(`ended ${view.state}`);
    if (view.state === 'CANCELLED' && job.wasCancelled) return;
    const cause = JSON.stringify(view.cause);
    const { fired } = this.#world.faults;
    const isExcused = excuses.some(
      ({ says, kinds }) => says.test(cause) && kinds.some((kind) => fired.has(kind)),
    );
    if (!isExcused) this.fail(`${jobId} is ${view.state}: ${view.cause?.message} (I11)`);
  }

  /** When all is over. */
  async atEnd(state: CoreState): Promise<void> {
    for (const { jobId } of this.#world.jobs.values()) {
      const view = viewJob(state, jobId);
      if (view?.state === 'COMPLETED') {
        this.#world.count('ended COMPLETED');
        await this.#checkOutput(jobId);
      } else await this.#checkNothing(jobId);
    }
    const { staged, sweptAtMs } = this.#world.disk;
    for (const [token, { key, owner, by, sealedAtMs }] of staged) {
      if (sealedAtMs === undefined) continue;
      const isLate = sealedAtMs > (sweptAtMs.get(owner) ?? Number.NEGATIVE_INFINITY);
      // Nobody can know of what a process staged late and had no time to tell of: rules of the bucket are for that.
      if (isLate && (by.wasGivenUp || (!by.isAlive && !by.hasLeft)))
        this.#world.count('left behind by a crash');
      else this.fail(`${key} is still staged as ${token} by ${by.name} (I6)`);
    }
  }

  #logged(text: string): void {
    const [head = '', ...lines] = text.split('\n').slice(0, -1);
    const { seq, epoch } = JSON.parse(head) as LogHead;
    // An append that is tried again after a successor trimmed what the first try had written: the same entry, replayed long ago.
    if (this.#entries.get(seq) === text) return;
    this.#entries.set(seq, text);
    if (seq !== this.#last.seq + 1) this.fail(`log entry ${seq} follows ${this.#last.seq} (I8)`);
    if (epoch < this.#last.epoch) this.fail(`epoch ${epoch} follows ${this.#last.epoch} (I8)`);
    this.#last = { seq, epoch };
    const records = lines.map((line) => JSON.parse(line) as Partial<PersistRecord>);
    for (const record of records) {
      // The last line is a checksum.
      if (record.type === undefined) continue;
      this.#durable.set(epoch, (this.#durable.get(epoch) ?? 0) + 1);
      this.#world.count(`journal: ${record.type}`);
      if (record.type === 'job-accepted' && record.spec) this.#accepted.add(record.spec.jobId);
      if (record.type === 'job-committing' && record.jobId) this.#committing.add(record.jobId);
    }
  }

  /** I1, I2, I4, I12: what is visible is the whole and right output. */
  async #checkOutput(jobId: string): Promise<void> {
    const job = this.#world.jobs.get(jobId)!;
    const { plain } = this.#world.disk;
    const manifest = await readManifest(plain, `out/${jobId}/`);
    if (!manifest) return this.fail(`${jobId} is complete without ${successName} (I1)`);
    const texts: string[] = [];
    for (const { key, bytes } of manifest.parts) {
      if (!(await plain.head(`out/${jobId}/${key}`)))
        return this.fail(`${successName} of ${jobId} names ${key}, which is not there (I1)`);
      const text = await this.#textOf(`out/${jobId}/${key}`);
      if (text.length !== bytes) this.fail(`${key} of ${jobId} has ${text.length} bytes, not ${bytes} (I1)`);
      texts.push(text);
    }
    const problem = this.#problemOf(job, texts, manifest.counters);
    if (problem) this.fail(`${jobId}: ${problem}`);
  }

  #problemOf(
    job: SimJob,
    texts: readonly string[],
    counters: Readonly<Record<string, number>>,
  ): string | undefined {
    const { reducers } = job.spec;
    if (reducers > 0 && texts.length !== reducers)
      return `${texts.length} parts for ${reducers} reduces (I1)`;
    return job.problemOf(texts, counters);
  }

  async #checkNothing(jobId: string): Promise<void> {
    for await (const { key } of this.#world.disk.plain.list(`out/${jobId}/`)) {
      this.fail(`${key} is visible, and its job did not complete (I6)`);
    }
  }

  async #textOf(key: string): Promise<string> {
    return (await collectBytes(this.#world.disk.plain.read(key))).toString();
  }
}
