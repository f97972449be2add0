/**
 * A cluster of fakes around the real core, walked by a seeded random schedule: deliveries, work, time and faults in any order. After
 * every event the invariants hold; after every publish the output is exactly one run's; once the faults stop, every job ends.
 */
import type { Commit, Effect, PersistRecord } from '../../coordinator/core/effects.ts';
import type { Event } from '../../coordinator/core/events.ts';
import { assertInvariants } from '../../coordinator/core/invariants.ts';
import { snapshotRecords } from '../../coordinator/core/snapshot.ts';
import { type CoreState, createState, type Job, type Worker } from '../../coordinator/core/state.ts';
import { step } from '../../coordinator/core/step.ts';
import { assert } from '../../lib/assert.ts';
import type { AttemptFailure } from '../../lib/attempt-failure.ts';
import { attemptKey, type JobId, type WorkerId } from '../../lib/ids.ts';
import type { JobSpec, StagedPart } from '../../lib/job-spec.ts';
import type { MapCopy } from '../../lib/map-copy.ts';
import { Bookkeeper } from './bookkeeper.ts';
import { checkReplay } from './check-replay.ts';
import { type FakeAttempt, FakeWorker, placeOf, type World } from './fake-worker.ts';
import { makeSpec, makeSplits } from './make.ts';

export type Happening = Event extends infer E ? (E extends Event ? Omit<E, 'now'> : never) : never;

/** mulberry32: small, seeded, good enough to choose faults. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed;
  }

  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }

  below(n: number): number {
    return Math.floor(this.next() * n);
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  pick<T>(items: readonly T[]): T | undefined {
    return items[this.below(items.length)];
  }
}

const slots = 2;

export class FakeCluster implements World {
  readonly random: Random;
  readonly workers = new Map<WorkerId, FakeWorker>();
  readonly made: World['made'] = new Map();
  readonly consumed: World['consumed'] = new Map();
  readonly copies: World['copies'] = new Map();
  readonly dropped: World['dropped'] = new Set();
  readonly unsteadiness: number;
  /** Of the coordinator that leads. */
  state: CoreState;
  /** What was made durable since the last snapshot, and that. */
  #journal: PersistRecord[] = [];
  /** Share of faults that end the coordinator. */
  readonly #restarts: number;
  /** In its next step. */
  #dies: 'before the journal' | 'after the journal' | undefined;
  readonly #splits = new Map<JobId, number>();
  /** Operations under way. */
  readonly #operations: Happening[] = [];
  readonly #assigned = new Set<string>();
  readonly #ended = new Set<JobId>();
  /** The tokens of the parts that each job publishes. */
  readonly #committed = new Map<JobId, string>();
  /** How often the walk got to the rare places: a walk that reaches none of them proves nothing. */
  readonly seen = {
    revoked: 0,
    differed: 0,
    failedDiffering: 0,
    backups: 0,
    quarantines: 0,
    isolated: 0,
    reruns: 0,
    unneeded: 0,
    partsOpened: 0,
    partsDroppedLate: 0,
    resumed: 0,
    acceptedAgain: 0,
    restarts: 0,
    drained: 0,
    drainedServing: 0,
    givenBack: 0,
    assignedCrowded: 0,
    copiesUsed: 0,
    copiesFound: 0,
    copiesLost: 0,
  };
  readonly #books = new Bookkeeper();
  #now = 0;
  #workersMade = 0;
  steps = 0;

  constructor(seed: number) {
    this.random = new Random(seed);
    this.state = this.#newCore(1);
    this.unsteadiness = this.random.pick([0, 0, 0.2, 0.7])!;
    this.#restarts = this.random.pick([0, 0.02, 0.1, 0.3])!;
    for (let at = 0; at < 3; at++) this.#addWorker();
  }

  get epoch(): number {
    return this.state.config.epoch;
  }

  #newCore(epoch: number): CoreState {
    return createState({ epoch, backupMinRuntimeMs: 1_000 });
  }

  /** The coordinator is gone, some workers with it; another one goes on from what was durable. */
  #restart(): void {
    this.seen.restarts++;
    this.#operations.length = 0;
    for (const worker of this.#live()) {
      if (this.random.chance(0.25)) worker.alive = false;
      worker.disconnect();
    }
    this.state = this.#newCore(this.epoch + 1);
    this.#books.restarted();
    this.#step({ type: 'journal-replayed', records: this.#journal });
    if (this.random.chance(0.5)) this.#journal = snapshotRecords(this.state);
  }

  submit(jobId: string, maps: number, changes: Partial<JobSpec>): void {
    const spec = makeSpec(jobId, changes);
    this.#splits.set(spec.jobId, maps);
    this.#step({ type: 'job-submitted', spec });
  }

  get ended(): boolean {
    return this.state.activeJobs.size === 0;
  }

  /** One random act, a fault now and then. */
  walk(faults: number): void {
    const worker = this.random.pick(this.#live());
    if (this.random.chance(faults)) this.#fault(worker);
    const dice = this.random.next();
    if (dice < 0.45) return worker && this.#deliver(worker);
    if (dice < 0.75) return worker && this.#work(worker);
    if (dice < 0.85) return worker?.connected ? worker.heartbeat() : worker?.connect();
    if (dice < 0.92) return this.#finishOperation(faults > 0);
    this.#now += this.random.below(400);
    this.#step({ type: 'tick' });
  }

  /** No more faults: everyone who can works, beats and is heard. */
  settle(): void {
    if (this.#live().every((worker) => worker.draining)) this.#addWorker();
    for (const worker of this.#live()) {
      if (!worker.connected) worker.connect();
      worker.heartbeat();
      for (const attempt of [...worker.attempts.values()]) worker.work(attempt);
      while (worker.connected && worker.outbox.length > 0) this.#deliver(worker);
    }
    this.#finishOperation(false);
    this.#now += 500;
    this.#step({ type: 'tick' });
  }

  /** Every job has ended: whoever drains may leave now. */
  get drained(): boolean {
    return this.#live().every((worker) => !worker.draining);
  }

  left(workerId: WorkerId): void {
    this.#operations.push({ type: 'worker-left', workerId });
  }

  #live(): FakeWorker[] {
    return [...this.workers.values()].filter((worker) => worker.alive);
  }

  #addWorker(id = `w${this.#workersMade}`): void {
    const worker = new FakeWorker(this, id, slots, this.#workersMade++);
    this.workers.set(worker.info.workerId, worker);
    worker.connect();
  }

  #deliver(worker: FakeWorker): void {
    const happening = worker.outbox.shift();
    if (!happening) return;
    this.#step(happening);
    if (happening.type === 'attempt-reported' && this.random.chance(0.1)) this.#step(happening);
  }

  #work(worker: FakeWorker): void {
    if (this.random.chance(0.2)) worker.copy();
    const attempt = this.random.pick([...worker.attempts.values()]);
    if (attempt) worker.work(attempt);
  }

  #fault(worker: FakeWorker | undefined): void {
    const dice = this.random.next();
    if (!worker || dice < 0.1) return this.#addWorker();
    if (this.random.chance(this.#restarts)) {
      this.#dies = this.random.pick(['before the journal', 'after the journal']);
      return;
    }
    if (dice < 0.2) {
      worker.alive = false;
      worker.disconnect();
      if (this.random.chance(0.5))
        this.#step({ type: 'worker-disconnected', workerId: worker.info.workerId });
      // The same name again, as another process, perhaps before the lease has run out.
      if (this.random.chance(0.3)) this.#addWorker(worker.info.workerId);
    } else if (dice < 0.25) {
      worker.alive = false;
      this.#step({ type: 'worker-left', workerId: worker.info.workerId });
    } else if (dice < 0.3) {
      const { workerId } = worker.info;
      if (this.random.chance(0.5)) worker.drain();
      else this.#step({ type: 'drain-requested', workerId, reason: 'the walk says so' });
    } else if (dice < 0.4) {
      worker.disconnect();
      this.#step({ type: 'worker-disconnected', workerId: worker.info.workerId });
    } else if (dice < 0.55) {
      // Silence: everyone else beats, this one's lease runs out though it lives.
      this.#now += 4_000;
      for (const other of this.#live()) if (other !== worker && other.connected) other.heartbeat();
    } else if (dice < 0.7) {
      for (const key of worker.outputs.keys()) if (this.random.chance(0.5)) worker.outputs.delete(key);
      for (const key of this.copies.keys()) if (this.random.chance(0.1)) this.copies.delete(key);
    } else if (dice < 0.99) {
      const attempt = this.random.pick([...worker.attempts.values()]);
      if (attempt) worker.finish(attempt, { kind: 'failed', failure: this.#failure(attempt, worker) });
    } else {
      const jobId = this.random.pick([...this.state.activeJobs])?.spec.jobId;
      if (jobId) this.#step({ type: 'cancel-requested', jobId, reason: 'the walk says so' });
    }
  }

  #failure({ id, held }: FakeAttempt, worker: FakeWorker): AttemptFailure {
    const dice = this.random.next();
    const message = 'the walk says so';
    if (dice < 0.2)
      return {
        kind: 'user-error',
        name: 'Error',
        message: `${this.steps}`,
        stack: '',
        where: 'map',
        record: '',
      };
    if (dice < 0.5) return { kind: 'no-space', message, path: '/' };
    if (dice < 0.6) return { kind: 'cancelled', message };
    const map = this.random.pick([...held.keys()]);
    if (id.kind !== 'reduce' || map === undefined) return { kind: 'store-failed', message };
    return { kind: 'corrupt-segment', message, map, mapAttempt: 0, worker: worker.info.workerId };
  }

  #finishOperation(mayFail: boolean): void {
    const happening = this.#operations.shift();
    if (!happening) return;
    const error = { code: 'unavailable', message: 'the walk says so', retryable: true } as const;
    const fails = mayFail && happening.type === 'output-published' && this.random.chance(0.3);
    this.#step(fails ? { type: 'publish-failed', jobId: happening.jobId, error } : happening);
  }

  #step(happening: Happening): void {
    this.steps++;
    const { persist, effects } = step(this.state, { ...happening, now: this.#now } as Event);
    assertInvariants(this.state);
    const dies = this.#dies;
    this.#dies = undefined;
    if (dies === 'before the journal') return this.#restart();
    this.#journal.push(...persist);
    for (const record of persist) this.#persisted(record);
    if (this.random.chance(0.01)) checkReplay(this.state, this.#journal);
    if (dies === 'after the journal') return this.#restart();
    this.#look(effects);
    if (isTakenAgain(happening, effects)) this.seen.acceptedAgain++;
    for (const effect of effects) this.#books.performed(effect);
    this.#books.check(this.state);
    for (const effect of effects) this.#perform(effect);
  }

  #look(effects: readonly Effect[]): void {
    for (const effect of effects) {
      if (effect.type === 'discard-part') this.seen.partsDroppedLate++;
      if (effect.type === 'job-event' && effect.event.type === 'attempt-adopted') this.seen.resumed++;
      if (effect.type === 'send-drained') this.#sawDrained(effect.workerId);
      if (effect.type === 'send-cancel' && effect.reason.includes('drains')) this.seen.givenBack++;
      if (effect.type !== 'say') continue;
      if (effect.text.startsWith('backup')) this.seen.backups++;
      if (effect.text.includes('is quarantined')) this.seen.quarantines++;
      if (effect.text.includes('to run again')) this.seen.reruns++;
      if (effect.text.includes('not needed any more')) this.seen.unneeded++;
      if (effect.text.includes('are read from their copies')) this.seen.copiesUsed++;
      if (effect.text.includes('are in the store: they do not run again')) this.seen.copiesFound++;
      if (effect.text.includes('in the store is missing')) this.seen.copiesLost++;
    }
    for (const { isolated } of this.state.workers.values()) if (isolated) this.seen.isolated++;
  }

  #sawDrained(workerId: WorkerId): void {
    const worker = this.state.workers.get(workerId)!;
    assert(worker.draining && worker.attempts.size === 0, `${workerId} runs nothing when it may leave`);
    for (const [jobId, maps] of worker.outputs) this.#checkUnneeded(this.state.jobs.get(jobId)!, maps);
    this.seen.drained++;
    if (worker.outputs.size > 0) this.seen.drainedServing++;
  }

  #checkAssigned(worker: Worker, key: string): void {
    assert(!worker.draining, `${key} goes to no draining worker`);
    if (worker.crowded) this.seen.assignedCrowded++;
  }

  #checkUnneeded({ map, reduce, phase, spec }: Job, outputs: ReadonlySet<number>): void {
    if (phase.name !== 'working') return;
    const maps = [...outputs].filter((index) => !map.tasks[index]!.copied);
    if (maps.length === 0) return;
    for (const { index, status, attempts } of reduce.tasks) {
      const fetching = attempts.filter((attempt) => attempt.status === 'running' && !attempt.fetch?.complete);
      const needs = maps.filter((index) => fetching.some(({ fetch }) => !fetch?.fetched.has(index)));
      const name = `r${index} of ${spec.jobId}`;
      assert(status !== 'idle', `${name} waits: every output is needed`);
      assert(status === 'done' || needs.length === 0, `${name} needs m${needs[0]}`);
    }
  }

  #persisted(record: PersistRecord): void {
    this.#books.persisted(record);
    if (record.type === 'part-opened') this.seen.partsOpened++;
    if (record.type === 'part-revoked') this.seen.revoked++;
    if (record.type === 'map-differed') this.seen.differed++;
    if (record.type === 'job-committing') {
      this.#checkOutput(this.state.jobs.get(record.jobId)!, record.commit);
      this.#committed.set(record.jobId, tokensOf(record.commit.parts));
    }
    if (record.type !== 'job-ended') return;
    assert(!this.#ended.has(record.jobId), `${record.jobId} ends once`);
    const why = record.cause?.message ?? '';
    assert(!why.includes('the audit failed'), `${record.jobId}: ${why}, though no worker lied`);
    if (record.cause?.code === 'non-deterministic') this.#checkDifferent(this.state.jobs.get(record.jobId)!);
    this.#ended.add(record.jobId);
  }

  /** A job that must fail when maps differ does so only when they did. */
  #checkDifferent({ spec }: Job): void {
    assert(spec.onNondeterminism === 'fail', `${spec.jobId}: may not fail because maps differ`);
    assert(this.unsteadiness > 0, `${spec.jobId}: no map differed`);
    this.seen.failedDiffering++;
  }

  #perform(effect: Effect): void {
    switch (effect.type) {
      case 'list-splits': {
        const { jobId } = effect.spec;
        const splits = makeSplits(this.#splits.get(jobId)!);
        this.#operations.push({ type: 'splits-listed', jobId, splits });
        return;
      }
      case 'find-copies': {
        const { spec, maps } = effect;
        const of = ({ attempt }: MapCopy) => attempt.jobId === spec.jobId && maps.includes(attempt.index);
        const copies = [...this.copies.values()].filter(of);
        this.#operations.push({ type: 'copies-found', jobId: spec.jobId, maps, copies });
        return;
      }
      case 'publish-output':
        assert(
          this.#committed.get(effect.spec.jobId) === tokensOf(effect.parts),
          'what was decided is published',
        );
        this.#operations.push({ type: 'output-published', jobId: effect.spec.jobId });
        return;
      case 'discard-output':
        this.#operations.push({ type: 'output-discarded', jobId: effect.spec.jobId });
        return;
      case 'send-assignment': {
        const key = attemptKey(effect.attempt);
        assert(!this.#assigned.has(key), `${key} is assigned once`);
        this.#assigned.add(key);
        this.#checkAssigned(this.state.workers.get(effect.workerId)!, key);
      }
    }
    if (!('workerId' in effect)) return;
    const worker = this.workers.get(effect.workerId);
    if (worker?.alive && worker.connected) worker.receive(effect);
  }

  /** I2, I3: one part per partition, and every reduce consumed exactly what the accepted attempt of each map made. */
  #checkOutput(job: Job, { parts, discards, success }: Commit): void {
    const { reducers } = job.spec;
    const skipped = (success.bad ?? []).map(({ part }) => part);
    for (const part of [...parts, ...skipped])
      assert(!this.dropped.has(placeOf(part)), `${part.token} is published, and still there`);
    assert(parts.length === (reducers === 0 ? job.map.total : reducers), 'one part per partition');
    const kept = new Set(parts.map((part) => part.token));
    assert(!discards.some((part) => kept.has(part.token)), 'nothing is both published and discarded');
    for (const reduce of job.reduce.tasks) {
      const consumed = this.consumed.get(attemptKey(reduce.accepted!.id))!;
      assert(consumed.size === job.map.total, `r${reduce.index} consumed every map`);
      for (const map of job.map.tasks) {
        const made = this.made.get(attemptKey(map.accepted!.id))![reduce.index]!;
        const took = consumed.get(map.index)!;
        assert(
          took.crc32 === made.crc32 && took.records === made.records,
          `r${reduce.index} consumed m${map.index}`,
        );
      }
    }
  }
}

function isTakenAgain(happening: Happening, effects: readonly Effect[]): boolean {
  if (happening.type !== 'attempt-reported' || !happening.report.again) return false;
  return effects.some((effect) => effect.type === 'send-answer' && effect.accepted);
}

function tokensOf(parts: readonly StagedPart[]): string {
  return parts.map(({ token }) => token).join(' ');
}
