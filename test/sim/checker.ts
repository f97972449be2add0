/** What must hold after every event and at the end. The numbers are those of docs/failure-model.md. */
import type { Effect, PersistRecord } from '../../coordinator/core/effects.ts';
import type { Event } from '../../coordinator/core/events.ts';
import type { CoreState } from '../../coordinator/core/state.ts';
import { viewJob } from '../../coordinator/core/view.ts';
import { successName } from '../../lib/formats.ts';
import { formatTask, type JobId } from '../../lib/ids.ts';
import { collectBytes } from '../../lib/iterables.ts';
import { copiesFolder } from '../../lib/map-copy.ts';
import { parseUri } from '../../lib/store/uri.ts';
import { readManifest, type SuccessManifest } from '../../lib/success-manifest.ts';
import { durable, replay } from '../core/check-replay.ts';
import { StepChecker } from './check-steps.ts';
import { WorkerChecker } from './check-workers.ts';
import { unexcused } from './excuses.ts';
import type { SimJob } from './sim-job.ts';
import type { World } from './world.ts';

export class Violation extends Error {
  override name = 'Violation';
}

/** The first one and its backup, and one on another worker when the function of the user has thrown. */
const attemptsWithoutFault = 3;
/** One fault may take several maps, and each of them a reduce with it. */
const attemptsPerFault = 5;

interface LogHead {
  readonly seq: number;
  readonly epoch: number;
}

export class Checker {
  readonly #world: World;
  #last: LogHead = { seq: 0, epoch: 0 };
  /** Records that are durable, by the epoch that wrote them. */
  readonly #durable = new Map<number, number>();
  readonly #entries = new Map<number, string>();
  readonly #accepted = new Set<string>();
  readonly #committing = new Set<string>();
  /** Jobs that must fail: maps of theirs differ, and that is not allowed. */
  readonly #differing = new Set<string>();
  /** Jobs whose bad end is decided. */
  readonly #stopping = new Set<string>();
  /** Tasks of which a part is accepted, and not revoked since. */
  readonly #parts = new Set<string>();
  /** All that is durable, from the first entry on. */
  readonly #records: PersistRecord[] = [];
  /** By epoch: how many of them were there when it took its first place in the journal. */
  readonly #recordsBefore = new Map<number, number>();
  /** By epoch. */
  readonly #coordinators = new Map<number, StepChecker>();
  readonly #workers: WorkerChecker;
  /** By task: how often it was given to some worker, by whomever. */
  readonly #assignments = new Map<string, number>();
  violation: Violation | undefined;
  /** A store that ignored conditions has let a candidate replace an entry of the journal: whoever reads it stops, and nobody leads again. */
  isTorn = false;

  constructor(world: World) {
    this.#world = world;
    this.#workers = new WorkerChecker(world);
  }

  get telling(): WorkerChecker['telling'] {
    return this.#workers.telling.bind(this.#workers);
  }

  get obeys(): WorkerChecker['obeys'] {
    return this.#workers.obeys.bind(this.#workers);
  }

  get ran(): WorkerChecker['ran'] {
    return this.#workers.ran.bind(this.#workers);
  }

  get serves(): WorkerChecker['serves'] {
    return this.#workers.serves.bind(this.#workers);
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

  /** Whether that is the last epoch of the journal: whoever has another one may not know it yet. */
  leads(epoch: number): boolean {
    return epoch === this.#last.epoch;
  }

  stepping(state: CoreState, event: Event): void {
    this.#coordinatorOf(state.config.epoch).stepping(state, event);
  }

  stepped(state: CoreState, event: Event): void {
    if (event.type === 'journal-replayed') this.#checkReplayed(state);
    this.#coordinatorOf(state.config.epoch).stepped(state, event);
  }

  #coordinatorOf(epoch: number): StepChecker {
    const known = this.#coordinators.get(epoch) ?? new StepChecker(this.#world);
    this.#coordinators.set(epoch, known);
    return known;
  }

  /** I7: who takes the lead knows all that was made durable before; another one may have taken it since. */
  #checkReplayed(state: CoreState): void {
    const before = this.#records.slice(0, this.#recordsBefore.get(state.config.epoch));
    const expected = JSON.stringify(durable(replay(state, before)));
    if (JSON.stringify(durable(state)) !== expected)
      this.fail(`epoch ${state.config.epoch} does not begin with what the journal says (I7)`);
  }

  /** Before an effect runs, all that was decided up to it is durable (I7). */
  performing(effect: Effect, state: CoreState, decided: number): void {
    const { epoch } = state.config;
    if ((this.#durable.get(epoch) ?? 0) < decided)
      this.fail(`${effect.type} runs before its decision is durable (I7)`);
    this.#coordinatorOf(epoch).performing(effect, state);
    if (effect.type === 'send-assignment') this.#assigned(effect);
  }

  /** I11: a task is given out again only for something that went wrong, or for one backup. */
  #assigned({ attempt }: Extract<Effect, { type: 'send-assignment' }>): void {
    const name = `${attempt.jobId} ${formatTask(attempt)}`;
    const times = (this.#assignments.get(name) ?? 0) + 1;
    this.#assignments.set(name, times);
    const wrong = [...this.#world.faults.struck.values()].reduce((sum, one) => sum + one, 0);
    if (times > attemptsWithoutFault + attemptsPerFault * wrong)
      this.fail(`${name} is given out ${times} times, after ${wrong} faults (I11)`);
  }

  ended(state: CoreState, jobId: JobId): void {
    const view = viewJob(state, jobId);
    const job = this.#world.jobs.get(jobId)!;
    if (!view || view.state === 'COMPLETED') return;
    this.#world.count(`ended ${view.state}`);
    if (view.state === 'CANCELLED' && job.wasCancelled) return;
    const { struck } = this.#world.faults;
    if (view.cause && job.isOwnEnd(view.cause)) return;
    const problem = unexcused(view.cause, struck, state.config.condemnedMax);
    if (problem !== undefined)
      this.fail(`${jobId} is ${view.state}, and ${problem}: ${view.cause?.message} (I11)`);
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
    this.#checkIdle(state);
    for (const key of await this.copiesLeft())
      this.fail(`${key} is still there, and its job has ended (leak)`);
    const { staged, sweptAtMs, undropped } = this.#world.disk;
    for (const [token, { key, owner, by, sealedAtMs }] of staged) {
      if (sealedAtMs === undefined) continue;
      const isLate = sealedAtMs > (sweptAtMs.get(owner) ?? Number.NEGATIVE_INFINITY);
      if (undropped.has(token)) {
        // Clients of a real store try for a minute. Then, too, a rule of the bucket has to do it.
        this.#world.count('left behind by a store that failed');
        continue;
      }
      // Nobody can know of what a process staged late and had no time to tell of: rules of the bucket are for that.
      if (isLate && (by.wasGivenUp || (!by.isAlive && !by.hasLeft)))
        this.#world.count('left behind by a crash');
      else this.fail(`${key} is still staged as ${token} by ${by.name} (I6)`);
    }
  }

  /** Keys of copies of map outputs: they go with their job. */
  async copiesLeft(): Promise<string[]> {
    const left: string[] = [];
    for (const { spec } of this.#world.jobs.values()) {
      const { key: folder } = parseUri(copiesFolder(spec));
      for await (const { key } of this.#world.disk.plain.list(folder)) left.push(key);
    }
    return left;
  }

  /** Nothing is held by what has ended. */
  #checkIdle({ workers, backupsAlive, recovery, activeJobs }: CoreState): void {
    for (const { id, attempts, slotsUsed, fetching, outputs } of workers.values()) {
      const held = { attempts: attempts.size, slotsUsed, fetching, outputs: outputs.size };
      const leaked = Object.entries(held).filter(([, count]) => count !== 0);
      if (leaked.length > 0) this.fail(`${id} still holds ${leaked.join('; ')}, and no job runs (leak)`);
    }
    if (backupsAlive > 0 || recovery || activeJobs.size > 0)
      this.fail(`${backupsAlive} backups and ${activeJobs.size} jobs are alive, and no job runs (leak)`);
  }

  async #logged(text: string): Promise<void> {
    const [head = '', ...lines] = text.split('\n').slice(0, -1);
    const { seq, epoch } = JSON.parse(head) as LogHead;
    // An append that is tried again after a successor trimmed what the first try had written: the same entry, replayed long ago.
    if (this.#entries.get(seq) === text) return;
    if (seq <= this.#last.seq && !lines.some((line) => 'type' in JSON.parse(line))) {
      // A candidate that slept put it where a snapshot has freed the place: it decides nothing, and its writer sees that it does not lead.
      if (this.#world.disk.weather.ignoresConditions) this.isTorn = true;
      else if (!(await this.#isInSnapshot(seq)))
        this.fail(`log entry ${seq} is replaced, after ${this.#last.seq} (I8)`);
      return;
    }
    this.#entries.set(seq, text);
    if (seq !== this.#last.seq + 1) this.fail(`log entry ${seq} follows ${this.#last.seq} (I8)`);
    if (epoch < this.#last.epoch) this.fail(`epoch ${epoch} follows ${this.#last.epoch} (I8)`);
    if (epoch > this.#last.epoch) this.#recordsBefore.set(epoch, this.#records.length);
    this.#last = { seq, epoch };
    const records = lines.map((line) => JSON.parse(line) as Partial<PersistRecord>);
    for (const record of records) {
      // The last line is a checksum.
      if (record.type === undefined) continue;
      this.#durable.set(epoch, (this.#durable.get(epoch) ?? 0) + 1);
      this.#world.count(`journal: ${record.type}`);
      this.#records.push(record as PersistRecord);
      this.#decided(record as PersistRecord);
    }
  }

  /** Of two decisions that exclude each other only one is ever durable (I1, I6). */
  #decided(record: PersistRecord): void {
    switch (record.type) {
      case 'job-accepted':
        this.#accepted.add(record.spec.jobId);
        return;
      case 'part-accepted': {
        const task = `${record.attempt.jobId} ${formatTask(record.attempt)}`;
        if (this.#parts.has(task)) this.fail(`${task} is accepted twice (I10)`);
        this.#parts.add(task);
        return;
      }
      case 'part-revoked':
        this.#parts.delete(`${record.attempt.jobId} ${formatTask(record.attempt)}`);
        return;
      case 'job-committing':
        if (this.#committing.has(record.jobId)) this.fail(`${record.jobId} commits twice (I1)`);
        if (this.#differing.has(record.jobId)) this.fail(`${record.jobId} commits, and its maps differ (I3)`);
        if (this.#stopping.has(record.jobId)) this.fail(`${record.jobId} commits, and was to stop (I6)`);
        this.#committing.add(record.jobId);
        return;
      case 'map-differed':
        if (this.#world.jobs.get(record.jobId)?.spec.onNondeterminism === 'fail')
          this.#differing.add(record.jobId);
        return;
      case 'job-stopping':
        this.#stopping.add(record.jobId);
        return;
      case 'job-ended':
        if (record.state === 'COMPLETED' && !this.#committing.has(record.jobId))
          this.fail(`${record.jobId} is complete, and never committed (I1)`);
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
    const problem = this.#problemOf(job, texts, manifest);
    if (problem) this.fail(`${jobId}: ${problem}`);
  }

  #problemOf(job: SimJob, texts: readonly string[], manifest: SuccessManifest): string | undefined {
    const { reducers } = job.spec;
    if (reducers > 0 && texts.length !== reducers)
      return `${texts.length} parts for ${reducers} reduces (I1)`;
    return job.problemOf(texts, manifest);
  }

  /** Whether whoever replays begins behind that entry. */
  async #isInSnapshot(seq: number): Promise<boolean> {
    for await (const { key } of this.#world.disk.plain.list('coordinator/snapshots/'))
      if (Number(/\d+$/.exec(key)) >= seq) return true;
    return false;
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
