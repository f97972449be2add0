/**
 * A bug on purpose: a simulation that does not notice it would not notice a real one. It changes what passes between the real parts, or
 * methods of the real classes for the time of one simulation; the code under test has no switch for it.
 */
import type { Effect } from '../../../coordinator/core/effects.ts';
import type { Event } from '../../../coordinator/core/events.ts';
import type { Attempt, CoreState, Task } from '../../../coordinator/core/state.ts';
import type { Journal } from '../../../coordinator/journal.ts';
import type { AttemptReport } from '../../../lib/reports.ts';
import type { CoordinatorMessage } from '../../../proto/gen/millrace/v1/CoordinatorMessage.ts';
import type { WorkerMessage } from '../../../proto/gen/millrace/v1/WorkerMessage.ts';
import type { FaultPlan } from '../faults.ts';

export interface Mutant {
  readonly name: string;
  /** Of a bug that shows only where several things go wrong: faults that make it likely. */
  readonly plan?: FaultPlan;
  /** Replaces an event before the core hears it; undefined leaves it. May change the state first. */
  event?(event: Event, state: CoreState): Event | undefined;
  /** Replaces an effect of the core; null: it is lost, undefined leaves it. */
  effect?(effect: Effect, state: CoreState): Effect | null | undefined;
  /** Replaces a message of a session on its way; undefined leaves it. */
  toCoordinator?(message: WorkerMessage): WorkerMessage | undefined;
  toWorker?(message: CoordinatorMessage, worker: string): CoordinatorMessage | undefined;
  journal?(journal: Journal): Journal;
  /** Changes code for the time of a simulation, and forgets the one before; returns what undoes it. */
  patch?(): () => void;
}

/** That event is not heard. */
export function deaf(type: Event['type']): NonNullable<Mutant['event']> {
  return (event) => (event.type === type ? { type: 'tick', now: event.now } : undefined);
}

/** That effect is lost. */
export function mute(type: Effect['type']): NonNullable<Mutant['effect']> {
  return (effect) => (effect.type === type ? null : undefined);
}

/** Changes reports before the core hears them; `change` gives undefined to leave one. */
export function misheard(
  change: (report: AttemptReport, state: CoreState) => AttemptReport | undefined,
): NonNullable<Mutant['event']> {
  return (event, state) => {
    const report = event.type === 'attempt-reported' ? change(event.report, state) : undefined;
    return event.type === 'attempt-reported' && report ? { ...event, report } : undefined;
  };
}

export function patchMethod<T extends object, K extends keyof T>(
  target: T,
  name: K,
  make: (original: T[K]) => T[K],
): () => void {
  const original = Object.getOwnPropertyDescriptor(target, name)!;
  Object.defineProperty(target, name, { ...original, value: make(original.value as T[K]) });
  return () => Object.defineProperty(target, name, original);
}

/** The task that a report is of, and its attempt on that worker while the coordinator knows one. */
export function taskOf(state: CoreState, { attempt: id }: AttemptReport): Task | undefined {
  return state.jobs.get(id.jobId)?.[id.kind].tasks[id.index];
}

export function attemptsOf(state: CoreState): Attempt[] {
  return [...state.workers.values()].flatMap((worker) => [...worker.attempts.values()]);
}
