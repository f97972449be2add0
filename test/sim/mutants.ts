/**
 * Bugs on purpose, one at a time: a simulation that does not notice them would not notice real ones. They change what passes between the
 * real parts, or methods of the real classes for the time of one simulation; the code under test has no switch for them.
 */
import type { Effect } from '../../coordinator/core/effects.ts';
import type { Event } from '../../coordinator/core/events.ts';
import type { CoreState } from '../../coordinator/core/state.ts';
import { type Journal, StoreJournal } from '../../coordinator/journal.ts';
import { type AttemptId, formatTask, type WorkerId } from '../../lib/ids.ts';
import type { SegmentCounts } from '../../lib/job-spec.ts';
import { FetchInputs } from '../../worker/reduce/fetch-inputs.ts';
import { MapOutputs } from '../../worker/shuffle/outputs.ts';
import { NodeStore } from './sim-store.ts';

export interface Mutant {
  readonly name: string;
  /** Replaces an event before the core hears it; undefined leaves it. */
  event?(event: Event, state: CoreState): Event | undefined;
  /** Replaces an effect of the core; null: it is lost, undefined leaves it. */
  effect?(effect: Effect): Effect | null | undefined;
  journal?(journal: Journal): Journal;
  /** Changes code for the time of a simulation; returns what undoes it. */
  patch?(): () => void;
}

/** That event is not heard. */
function deaf(type: Event['type']): NonNullable<Mutant['event']> {
  return (event) => (event.type === type ? { type: 'tick', now: event.now } : undefined);
}

/** That effect is lost. */
function mute(type: Effect['type']): NonNullable<Mutant['effect']> {
  return (effect) => (effect.type === type ? null : undefined);
}

function patchMethod<T extends object, K extends keyof T>(
  target: T,
  name: K,
  make: (original: T[K]) => T[K],
): () => void {
  const original = Object.getOwnPropertyDescriptor(target, name)!;
  Object.defineProperty(target, name, { ...original, value: make(original.value as T[K]) });
  return () => Object.defineProperty(target, name, original);
}

function patchSources(change: <T>(sources: readonly T[]) => readonly T[]): () => void {
  const original = Object.getOwnPropertyDescriptor(FetchInputs.prototype, 'complete')!;
  Object.defineProperty(FetchInputs.prototype, 'complete', {
    ...original,
    async get() {
      return change((await original.get!.call(this)) as readonly unknown[]);
    },
  });
  return () => Object.defineProperty(FetchInputs.prototype, 'complete', original);
}

/** The attempt of the same task that this worker runs. */
function runningOf(state: CoreState, workerId: WorkerId, id: AttemptId): AttemptId {
  const attempts = [...(state.workers.get(workerId)?.attempts.values() ?? [])];
  const same = attempts.find((one) => one.id.jobId === id.jobId && formatTask(one.id) === formatTask(id));
  return same?.id ?? id;
}

const withNumberZero = <T extends { readonly attempt: AttemptId }>(message: T): T => ({
  ...message,
  attempt: { ...message.attempt, attempt: 0 },
});

const attemptIdsReused: Mutant = {
  name: 'attempt ids are used again',
  effect: (effect) =>
    effect.type === 'send-assignment' || effect.type === 'send-cancel' || effect.type === 'send-answer'
      ? withNumberZero(effect)
      : undefined,
  event(event, state) {
    if (event.type !== 'attempt-reported') return undefined;
    const { workerId, report } = event;
    return { ...event, report: { ...report, attempt: runningOf(state, workerId, report.attempt) } };
  },
};

const staleReports: Mutant = {
  name: 'a late report is taken for that of whoever runs the task now',
  event(event, state) {
    if (event.type !== 'attempt-reported') return undefined;
    const { attempt: id } = event.report;
    const task = state.jobs.get(id.jobId)?.[id.kind].tasks[id.index];
    const now = task?.attempts[0];
    if (!now || state.workers.get(event.workerId)?.attempts.has(now.key)) return undefined;
    return { ...event, workerId: now.worker.id, report: { ...event.report, attempt: now.id } };
  },
};

function rerunsBelieved(): Mutant {
  const first = new Map<string, readonly SegmentCounts[]>();
  return {
    name: 'a map that ran again is believed to have made the same',
    patch() {
      first.clear();
      return () => undefined;
    },
    event(event) {
      if (event.type !== 'attempt-reported' || event.report.outcome.kind !== 'map-done') return undefined;
      const { outcome, attempt } = event.report;
      const key = `${attempt.jobId}/${attempt.index}`;
      const segments = first.get(key) ?? outcome.report.segments;
      first.set(key, segments);
      return {
        ...event,
        report: { ...event.report, outcome: { ...outcome, report: { ...outcome.report, segments } } },
      };
    },
  };
}

export const mutants: readonly Mutant[] = [
  attemptIdsReused,
  staleReports,
  {
    name: 'effects run before their decision is durable',
    journal: (journal) => ({
      epoch: journal.epoch,
      append(records) {
        journal.append(records).catch(() => undefined);
        return Promise.resolve();
      },
    }),
  },
  {
    name: 'the journal forgets which parts were opened',
    journal: (journal) => ({
      epoch: journal.epoch,
      append: (records) => journal.append(records.filter(({ type }) => type !== 'part-opened')),
    }),
  },
  {
    name: 'a deposed leader goes on',
    patch: () =>
      patchMethod(
        StoreJournal.prototype,
        'append',
        (append) =>
          async function (this: StoreJournal, records) {
            await append.call(this, records).catch(() => undefined);
          },
      ),
  },
  {
    name: 'the store ignores conditions',
    patch: () =>
      patchMethod(
        NodeStore.prototype,
        'putIfAbsent',
        () =>
          async function (this: NodeStore, key, bytes) {
            await this.put(key, bytes);
            return true;
          },
      ),
  },
  {
    name: 'a new leader forgets the last decision',
    patch: () =>
      patchMethod(
        StoreJournal.prototype,
        'takeReplayed',
        (takeReplayed) =>
          function (this: StoreJournal) {
            return takeReplayed.call(this).slice(0, -1);
          },
      ),
  },
  {
    name: 'a lease never ends',
    event(event, state) {
      if (event.type === 'tick')
        for (const worker of state.workers.values()) worker.lastHeartbeatMs = event.now;
      return undefined;
    },
  },
  { name: 'heartbeats are not heard', event: deaf('worker-heartbeat') },
  { name: 'what reduces cannot fetch is not heard', event: deaf('fetch-troubled') },
  { name: 'a publication that failed is not heard', event: deaf('publish-failed') },
  { name: 'answers to reports are lost', effect: mute('send-answer') },
  { name: 'workers are not told that a job has ended', effect: mute('send-job-ended') },
  { name: 'a worker that was given up is not told', effect: mute('send-rejoin') },
  {
    name: 'parts of attempts that lost are forgotten',
    effect(effect) {
      if (effect.type === 'publish-output') return { ...effect, discards: [], unsure: [] };
      if (effect.type === 'discard-output') return { ...effect, parts: [], unsure: [] };
      return effect.type === 'discard-part' ? null : undefined;
    },
  },
  {
    name: 'the last part is left out',
    effect: (effect) =>
      effect.type === 'publish-output' ? { ...effect, parts: effect.parts.slice(0, -1) } : undefined,
  },
  {
    name: 'the first two parts are swapped',
    effect(effect) {
      if (effect.type !== 'publish-output') return undefined;
      const [first, second, ...rest] = effect.parts;
      return first && second ? { ...effect, parts: [second, first, ...rest] } : undefined;
    },
  },
  {
    name: 'the first split is mapped twice',
    event: (event) =>
      event.type === 'splits-listed'
        ? { ...event, splits: [...event.splits.slice(0, 1), ...event.splits] }
        : undefined,
  },
  {
    name: 'the last split is forgotten',
    event: (event) =>
      event.type === 'splits-listed' ? { ...event, splits: event.splits.slice(0, -1) } : undefined,
  },
  {
    name: 'counters of attempts before the accepted one count',
    event(event) {
      if (event.type !== 'attempt-reported' || event.report.attempt.attempt === 0) return undefined;
      const counters = Object.fromEntries(
        Object.entries(event.report.counters).map(([name, value]) => [name, value * 2]),
      );
      return { ...event, report: { ...event.report, counters } };
    },
  },
  {
    name: 'locations name the next attempt',
    effect: (effect) =>
      effect.type === 'send-locations'
        ? { ...effect, found: effect.found.map((one) => ({ ...one, attempt: one.attempt + 1 })) }
        : undefined,
  },
  rerunsBelieved(),
  {
    name: 'segments are merged in another order than that of the maps',
    patch: () => patchSources((sources) => [...sources].reverse()),
  },
  {
    name: 'a segment is reduced twice',
    patch: () => patchSources((sources) => sources.map((source, at) => (at === 1 ? sources[0]! : source))),
  },
  {
    name: 'a restarted worker serves nothing and says that it holds all',
    patch: () => patchMethod(MapOutputs.prototype, 'find', () => () => undefined),
  },
  {
    name: 'publishing is not waited for',
    patch: () =>
      patchMethod(
        NodeStore.prototype,
        'publish',
        (publish) =>
          async function (this: NodeStore, staged) {
            publish.call(this, staged).catch(() => undefined);
          },
      ),
  },
  {
    name: 'workers publish what they have staged',
    patch: () =>
      patchMethod(
        NodeStore.prototype,
        'stage',
        (stage) =>
          async function (this: NodeStore, key, owner) {
            const writer = await stage.call(this, key, owner);
            const seal = async () => {
              const staged = await writer.seal();
              await this.publish(staged);
              return staged;
            };
            return { ...writer, seal };
          },
      ),
  },
  {
    name: 'what was written is not looked up after an unclear answer',
    patch: () =>
      patchMethod(
        NodeStore.prototype,
        'putIfAbsent',
        (putIfAbsent) =>
          async function (this: NodeStore, key, bytes) {
            // Taken for done, whatever became of it.
            return await putIfAbsent.call(this, key, bytes).catch(() => true);
          },
      ),
  },
];
