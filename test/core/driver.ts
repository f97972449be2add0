/** Drives the core by hand in unit tests: sends events at its own time, keeps the effects of the last one, checks invariants. */
import type { Effect, PersistRecord } from '../../coordinator/core/effects.ts';
import type { Event } from '../../coordinator/core/events.ts';
import { assertInvariants } from '../../coordinator/core/invariants.ts';
import { type CoreConfig, type CoreState, createState, type Job } from '../../coordinator/core/state.ts';
import { step } from '../../coordinator/core/step.ts';
import type { AttemptFailure } from '../../lib/attempt-failure.ts';
import { type AttemptId, formatAttempt, type JobId, type WorkerId } from '../../lib/ids.ts';
import type { JobSpec, Split } from '../../lib/job-spec.ts';
import type { WorkerInfo } from '../../lib/reports.ts';
import { addCounts, noCounts } from '../../lib/segment-digest.ts';
import { makePart, makeSegment, makeSpec, makeUsage, makeWorker } from './make.ts';
import { parseAttempt } from './transcript-events.ts';

type Happening = Event extends infer E ? (E extends Event ? Omit<E, 'now'> : never) : never;

export class Driver {
  readonly state: CoreState;
  effects: readonly Effect[] = [];
  /** Since the start. */
  readonly persisted: PersistRecord[] = [];
  now = 0;

  constructor(config: Partial<CoreConfig> = {}) {
    this.state = createState(config);
  }

  send(happening: Happening): readonly Effect[] {
    const { persist, effects } = step(this.state, { ...happening, now: this.now } as Event);
    this.persisted.push(...persist);
    this.effects = effects;
    assertInvariants(this.state);
    return this.effects;
  }

  join(workerId: string, changes: Partial<WorkerInfo> = {}, running: readonly AttemptId[] = []): void {
    this.send({
      type: 'worker-joined',
      worker: makeWorker(workerId, changes),
      running,
      held: [],
      replaces: [],
      jobs: [],
    });
  }

  submit(jobId: string, splits: readonly Split[], changes: Partial<JobSpec> = {}): Job {
    this.send({ type: 'job-submitted', spec: makeSpec(jobId, changes) });
    this.send({ type: 'splits-listed', jobId: jobId as JobId, splits });
    return this.state.jobs.get(jobId as JobId)!;
  }

  /** Time passes, everyone beats (attempts as `j1/m0.0` with the bytes they have read), and a tick falls due. */
  tick(ms: number, read: Readonly<Record<string, number>> = {}): readonly Effect[] {
    this.now += ms;
    for (const worker of this.state.workers.values()) {
      const attempts = [...worker.attempts.values()].map(({ id }) => ({
        attempt: id,
        phase: id.kind,
        recordsIn: 0,
        recordsOut: 0,
        bytesOut: 0,
        bytesIn: read[`${id.jobId}/${formatAttempt(id)}`] ?? 0,
      }));
      this.send({ type: 'worker-heartbeat', workerId: worker.id, attempts, usage: makeUsage() });
    }
    return this.send({ type: 'tick' });
  }

  mapped(workerId: string, attempt: string, inputBytes = 1000): void {
    const id = parseAttempt(attempt);
    const { reducers } = this.state.jobs.get(id.jobId)!.spec;
    const segments = Array.from({ length: reducers }, () => makeSegment(1));
    const part = reducers === 0 ? makePart(id) : undefined;
    this.send({
      type: 'attempt-reported',
      workerId: workerId as WorkerId,
      report: {
        attempt: id,
        outcome: {
          kind: 'map-done',
          report: { inputRecords: 1, inputBytes, segments, part, spills: 0, spillBytes: 0 },
        },
        counters: {},
      },
    });
  }

  /** `records`: consumed, one of each map as {@link mapped} makes them. */
  reduced(workerId: string, attempt: string, records: number): void {
    const id = parseAttempt(attempt);
    const consumed = Array.from({ length: records }, () => makeSegment(1)).reduce(addCounts, noCounts);
    const outcome = {
      kind: 'reduce-done',
      report: { consumed, reduced: consumed, part: makePart(id), fetchMs: 0 },
    } as const;
    const report = { attempt: id, outcome, counters: {} };
    this.send({ type: 'attempt-reported', workerId: workerId as WorkerId, report });
  }

  fetchedAll(workerId: string, attempt: string): void {
    const progress = { attempt: parseAttempt(attempt), maps: [], digests: [], complete: true };
    this.send({ type: 'fetch-progressed', workerId: workerId as WorkerId, progress });
  }

  failed(workerId: string, attempt: string, failure: AttemptFailure): void {
    this.send({
      type: 'attempt-reported',
      workerId: workerId as WorkerId,
      report: { attempt: parseAttempt(attempt), outcome: { kind: 'failed', failure }, counters: {} },
    });
  }

  /** What the last event assigned: `w1 m0.0`. */
  get assigned(): string[] {
    return this.effects.flatMap((effect) =>
      effect.type === 'send-assignment' ? [`${effect.workerId} ${formatAttempt(effect.attempt)}`] : [],
    );
  }

  /** What runs on a worker now, those being cancelled too. */
  on(workerId: string): string[] {
    const worker = this.state.workers.get(workerId as WorkerId)!;
    return [...worker.attempts.values()].map(({ id }) => formatAttempt(id));
  }
}
