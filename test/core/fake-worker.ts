/**
 * A worker as the core sees one: it keeps what it was told, makes segments out of thin air, fetches from the other fakes, and
 * verifies digests like the real one. Everything it does is one small act at a time, chosen by the walk.
 */
import type { Effect, JobInfo, TaskInput } from '../../coordinator/core/effects.ts';
import { assert } from '../../lib/assert.ts';
import { type AttemptId, attemptKey, type JobId, type WorkerId } from '../../lib/ids.ts';
import type { OpenPart, SegmentCounts } from '../../lib/job-spec.ts';
import type { MapCopy } from '../../lib/map-copy.ts';
import type {
  AttemptOutcome,
  AttemptReport,
  FetchProgress,
  FetchTrouble,
  WorkerInfo,
} from '../../lib/reports.ts';
import { addCounts, noCounts, segmentDigest } from '../../lib/segment-digest.ts';
import type { Happening, Random } from './fake-cluster.ts';
import { makeBadPart, makePart, makeSegment, makeUsage, makeWorker } from './make.ts';

interface Known {
  readonly attempt: AttemptId;
  /** Undefined: the copy in the store. */
  readonly worker: WorkerId | undefined;
  /** By partition, as far as told. */
  readonly digests: Map<number, number>;
}

export interface FakeAttempt {
  readonly id: AttemptId;
  readonly job: JobInfo;
  readonly input: TaskInput;
  readonly held: Map<number, SegmentCounts>;
  readonly unsaid: number[];
  complete: boolean;
  /** It has begun to stage its part. */
  opened: boolean;
  /** And what it skips. */
  skips: boolean;
}

/** What every fake may look at: what was made and consumed by whom, for fetching and for the checks at the end. */
export interface World {
  readonly random: Random;
  readonly workers: Map<WorkerId, FakeWorker>;
  readonly made: Map<string, readonly SegmentCounts[]>;
  readonly consumed: Map<string, ReadonlyMap<number, SegmentCounts>>;
  /** In the store: map outputs by attemptKey. */
  readonly copies: Map<string, MapCopy>;
  /** Of the coordinator that leads. */
  readonly epoch: number;
  /** What workers have dropped of what they staged, by place and token. */
  readonly dropped: Set<string>;
  /** Chance that a rerun of a map makes something else. */
  readonly unsteadiness: number;
  left(worker: WorkerId): void;
}

export class FakeWorker {
  readonly info: WorkerInfo;
  alive = true;
  connected = false;
  draining = false;
  /** Messages on their way to the coordinator, in order. */
  readonly outbox: Happening[] = [];
  readonly attempts = new Map<string, FakeAttempt>();
  /** What it answered for each map output on its disk. */
  readonly outputs = new Map<string, AttemptReport>();
  /** Of those, what is to be copied and is not yet, and what is. */
  readonly #uncopied = new Set<string>();
  readonly #copied = new Set<string>();
  readonly #known = new Map<JobId, Map<number, Known>>();
  readonly #unanswered = new Map<string, AttemptReport>();
  #epochSeen = 0;
  /** Chance that its scratch folder is nearly full at a heartbeat. */
  readonly #fullness: number;
  readonly #world: World;

  constructor(world: World, id: string, slots: number, pid: number) {
    this.#world = world;
    this.info = makeWorker(id, { slots, pid });
    this.#fullness = world.random.pick([0, 0, 0.2, 1])!;
  }

  /** Says hello; whether finished but unanswered attempts count as running is the worker's own affair. */
  connect(): void {
    const running = [...this.attempts.values()].map(({ id }) => id);
    const finished = [...this.#unanswered.values()].map(({ attempt }) => attempt);
    this.connected = true;
    this.outbox.push({
      type: 'worker-joined',
      worker: { ...this.info, draining: this.draining },
      running: this.#world.random.chance(0.5) ? [...running, ...finished] : running,
      held: [...this.outputs.values()].map(({ attempt }) => attempt),
      replaces: [],
      jobs: [...this.#known.keys()],
    });
    for (const { id, opened, skips } of this.attempts.values()) {
      if (opened) this.#open(makePart(id), id);
      if (skips) this.#open(makeBadPart(id), id);
    }
    for (const report of this.#unanswered.values()) this.#send(report);
    this.#sayCopied([...this.#copied]);
  }

  /** The stream breaks: what was on its way is lost, both ways. */
  disconnect(): void {
    this.connected = false;
    this.outbox.length = 0;
  }

  heartbeat(): void {
    const nothing = { recordsIn: 1, bytesIn: this.#world.random.below(1000), recordsOut: 0, bytesOut: 0 };
    this.outbox.push({
      type: 'worker-heartbeat',
      workerId: this.info.workerId,
      usage: makeUsage({
        scratchBytes: this.#world.random.chance(this.#fullness) ? 90 : 10,
        scratchBytesMax: 100,
      }),
      attempts: [...this.attempts.values()].map(({ id, complete }) => ({
        attempt: id,
        phase: this.#world.random.chance(0.3)
          ? 'waiting'
          : id.kind === 'reduce' && !complete
            ? 'fetch'
            : id.kind,
        ...nothing,
      })),
    });
  }

  receive(effect: Effect): void {
    switch (effect.type) {
      case 'send-welcome':
        return this.#welcomed();
      case 'send-assignment': {
        const { attempt: id, job, input } = effect;
        const fresh = { held: new Map(), unsaid: [], complete: false, opened: false, skips: false };
        this.attempts.set(attemptKey(id), { id, job, input, ...fresh });
        return;
      }
      case 'send-cancel':
        return this.#cancel(effect.attempt);
      case 'send-locations':
        return this.#learn(effect);
      case 'send-answer':
        return this.#answered(attemptKey(effect.attempt), effect.accepted);
      case 'send-rejoin':
        this.#forgetAll();
        return this.connect();
      case 'send-job-ended':
        return this.#forget(effect.jobId);
      case 'send-drain':
        return this.drain();
      case 'send-drained':
        return this.leave();
    }
  }

  /** What is refused goes, and what was staged with it. */
  #answered(key: string, accepted: boolean): void {
    const outcome = this.#unanswered.get(key)?.outcome;
    this.#unanswered.delete(key);
    if (accepted) return;
    this.#forgetOutput(key);
    if (outcome?.kind !== 'map-done' && outcome?.kind !== 'reduce-done') return;
    const { part } = outcome.report;
    const skipped = outcome.kind === 'map-done' ? outcome.report.bad?.part : undefined;
    for (const staged of [part, skipped]) if (staged) this.#world.dropped.add(placeOf(staged));
  }

  /** Says again what it holds: to any coordinator what its reduces fetched, to a new one the outputs too. */
  #welcomed(): void {
    const { epoch } = this.#world;
    for (const attempt of this.attempts.values()) {
      if (attempt.input.kind === 'reduce') this.#sayHeld(attempt, [...attempt.held.keys()]);
    }
    if (epoch <= this.#epochSeen) return;
    this.#epochSeen = epoch;
    for (const [key, report] of this.outputs) {
      if (!this.#unanswered.has(key)) this.#sendKept(key, report);
    }
  }

  /** Lost now and then, as when it cannot be read. */
  #sendKept(key: string, report: AttemptReport): void {
    if (report.attempt.epoch === this.#world.epoch || this.#world.random.chance(0.05)) return;
    const { outcome } = report;
    const copied = this.#copied.has(key);
    const said =
      outcome.kind === 'map-done' ? { ...outcome, report: { ...outcome.report, copied } } : outcome;
    const again = { ...report, outcome: said, again: true };
    this.#unanswered.set(key, again);
    this.#send(again);
  }

  /** As after a SIGTERM. */
  drain(): void {
    this.draining = true;
    if (this.connected) this.outbox.push({ type: 'worker-draining', workerId: this.info.workerId });
  }

  /** Says goodbye if it is heard, and is no more. */
  leave(): void {
    this.alive = false;
    if (this.connected) this.#world.left(this.info.workerId);
  }

  #cancel(id: AttemptId): void {
    const attempt = this.attempts.get(attemptKey(id));
    if (!attempt) return;
    // Too late now and then: it was just done.
    if (this.#world.random.chance(0.2)) this.work(attempt);
    this.finish(attempt, { kind: 'failed', failure: { kind: 'cancelled', message: 'told to' } });
  }

  #learn(effect: Extract<Effect, { type: 'send-locations' }>): void {
    const known = this.#known.get(effect.jobId) ?? new Map<number, Known>();
    this.#known.set(effect.jobId, known);
    for (const map of effect.lost) known.delete(map);
    for (const { map, attempt, epoch, worker, digests } of effect.found) {
      const id: AttemptId = { jobId: effect.jobId, kind: 'map', index: map, attempt, epoch };
      const before = known.get(map);
      const same = before && attemptKey(before.attempt) === attemptKey(id);
      const all = same ? before.digests : new Map<number, number>();
      for (const [at, reduce] of effect.reduces.entries()) all.set(reduce, digests[at]!);
      known.set(map, { attempt: id, worker, digests: all });
    }
  }

  #forget(jobId: JobId): void {
    for (const [key, { id }] of this.attempts) if (id.jobId === jobId) this.attempts.delete(key);
    for (const [key, { attempt }] of this.#unanswered)
      if (attempt.jobId === jobId) this.#unanswered.delete(key);
    for (const key of this.outputs.keys()) if (key.startsWith(`${jobId}-`)) this.#forgetOutput(key);
    this.#known.delete(jobId);
  }

  #forgetAll(): void {
    this.attempts.clear();
    for (const key of this.outputs.keys()) this.#forgetOutput(key);
    this.#unanswered.clear();
    this.#known.clear();
  }

  #forgetOutput(key: string): void {
    this.outputs.delete(key);
    this.#uncopied.delete(key);
    this.#copied.delete(key);
  }

  /** One output that is to be copied is: the store has it, and the coordinator hears of it. */
  copy(): void {
    const key = this.#world.random.pick([...this.#uncopied]);
    const report = key === undefined ? undefined : this.outputs.get(key);
    if (key === undefined || !report) return;
    this.#uncopied.delete(key);
    this.#store(key, report);
    this.#sayCopied([key]);
  }

  #store(key: string, { attempt, outcome, counters }: AttemptReport): void {
    assert(outcome.kind === 'map-done', 'only map outputs are copied');
    const report = { ...outcome.report, copied: true };
    this.#world.copies.set(key, { attempt, worker: this.info.workerId, pieceBytes: 1, report, counters });
    this.#copied.add(key);
  }

  #sayCopied(keys: readonly string[]): void {
    const attempts = keys.flatMap((key) => this.outputs.get(key)?.attempt ?? []);
    if (attempts.length === 0 || !this.connected) return;
    this.outbox.push({ type: 'maps-copied', workerId: this.info.workerId, attempts });
  }

  /** One act of work: a sample or map is done, a reduce fetches one segment, says what it has, or is done; parts are opened before. */
  work(attempt: FakeAttempt): void {
    if (isReadyForPart(attempt) && !attempt.opened) {
      attempt.opened = true;
      this.#open(makePart(attempt.id), attempt.id);
      if (this.#world.random.chance(0.5)) return;
    }
    if (isReadyToSkip(attempt) && this.#world.random.chance(0.5)) {
      attempt.skips = true;
      return this.#open(makeBadPart(attempt.id), attempt.id);
    }
    switch (attempt.input.kind) {
      case 'sample':
        return this.finish(attempt, {
          kind: 'sample-done',
          keys: [new Uint8Array([this.#world.random.below(9)])],
        });
      case 'map':
        return this.#map(attempt);
      case 'reduce':
        return attempt.complete ? this.#reduce(attempt) : this.#fetch(attempt, attempt.input.maps);
    }
  }

  #map(attempt: FakeAttempt): void {
    const { id, job } = attempt;
    const { random, unsteadiness, made } = this.#world;
    const segments = Array.from({ length: job.spec.reducers }, (_, partition) =>
      makeSegment(id.index + partition, random.chance(unsteadiness) ? 10 * id.epoch + id.attempt : 0),
    );
    made.set(attemptKey(id), segments);
    const part = job.spec.reducers === 0 ? makePart(id) : undefined;
    const { durability = 'local', reducers } = job.spec;
    const copied = durability === 'sync' && reducers > 0;
    const bad = attempt.skips ? { part: makeBadPart(id), examples: [] } : undefined;
    const facts = { inputRecords: 1, inputBytes: 1000, spills: 0, spillBytes: 0 };
    const report = { ...facts, segments, part, bad, copied };
    this.finish(attempt, { kind: 'map-done', report });
    const key = attemptKey(id);
    const said = this.#unanswered.get(key)!;
    this.outputs.set(key, said);
    if (copied) this.#store(key, said);
    else if (durability === 'async' && reducers > 0) this.#uncopied.add(key);
  }

  #reduce(attempt: FakeAttempt): void {
    const { id, held } = attempt;
    this.#world.consumed.set(attemptKey(id), held);
    const consumed = [...held.values()].reduce(addCounts, noCounts);
    this.finish(attempt, {
      kind: 'reduce-done',
      report: { consumed, reduced: consumed, part: makePart(id), fetchMs: 0 },
    });
  }

  #fetch(attempt: FakeAttempt, maps: number): void {
    const { id, held, unsaid } = attempt;
    const wanted = [...(this.#known.get(id.jobId) ?? [])].filter(
      ([map, known]) => !held.has(map) && known.digests.has(id.index),
    );
    const [map, known] = wanted[this.#world.random.below(wanted.length)] ?? [];
    if (map !== undefined && known) this.#fetchOne(attempt, map, known);
    attempt.complete = held.size === maps;
    if (!attempt.complete && this.#world.random.chance(0.5)) return;
    this.#sayHeld(attempt, unsaid.splice(0));
  }

  #sayHeld({ id, held, complete }: FakeAttempt, maps: readonly number[]): void {
    const digests = maps.map((map) => segmentDigest(held.get(map)!));
    const progress: FetchProgress = { attempt: id, maps, digests, complete };
    this.outbox.push({ type: 'fetch-progressed', workerId: this.info.workerId, progress });
  }

  #fetchOne({ id, held, unsaid }: FakeAttempt, map: number, known: Known): void {
    const { workers, copies } = this.#world;
    const server = known.worker && workers.get(known.worker);
    const key = attemptKey(known.attempt);
    if (known.worker && !server?.alive) return this.#trouble(id, map, known, 'unreachable');
    if (!(server?.outputs ?? copies).has(key)) return this.#trouble(id, map, known, 'missing');
    const segment = this.#world.made.get(key)![id.index]!;
    if (segmentDigest(segment) !== known.digests.get(id.index))
      return this.#trouble(id, map, known, 'corrupt');
    held.set(map, segment);
    unsaid.push(map);
  }

  #trouble(attempt: AttemptId, map: number, known: Known, cause: FetchTrouble['cause']): void {
    const trouble = {
      attempt,
      map,
      mapAttempt: known.attempt.attempt,
      worker: known.worker,
      cause,
      detail: '',
    };
    this.outbox.push({ type: 'fetch-troubled', workerId: this.info.workerId, trouble });
  }

  #open({ uri, token }: OpenPart, attempt: AttemptId): void {
    if (!this.connected) return;
    const opened = { attempt, part: { uri, token } };
    this.outbox.push({ type: 'part-opened', workerId: this.info.workerId, opened });
  }

  finish(attempt: FakeAttempt, outcome: AttemptOutcome): void {
    const key = attemptKey(attempt.id);
    if (!this.attempts.delete(key)) return;
    const report: AttemptReport = { attempt: attempt.id, outcome, counters: { seen: attempt.id.index } };
    this.#unanswered.set(key, report);
    this.#send(report);
  }

  #send(report: AttemptReport): void {
    if (this.connected) this.outbox.push({ type: 'attempt-reported', workerId: this.info.workerId, report });
  }
}

/** In the output, for {@link World.dropped}. */
export function placeOf({ uri, token }: OpenPart): string {
  return `${uri} ${token}`;
}

function isReadyForPart({ input, job, complete }: FakeAttempt): boolean {
  return input.kind === 'reduce' ? complete : input.kind === 'map' && job.spec.reducers === 0;
}

function isReadyToSkip({ input, job, skips }: FakeAttempt): boolean {
  return input.kind === 'map' && job.spec.maxBadRecords !== undefined && !skips;
}
