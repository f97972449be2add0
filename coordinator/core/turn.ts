/** One step in progress: what every handler is given, and writes its decisions to. */
import type { AttemptId, JobId } from '../../lib/ids.ts';
import { aboutAttempt, type LogSubject } from '../../lib/log-subject.ts';
import type { Effect, PersistRecord, Step } from './effects.ts';
import type { Attempt, CoreState, Job, Worker } from './state.ts';

export interface Turn {
  readonly state: CoreState;
  readonly now: number;
  readonly persist: PersistRecord[];
  readonly effects: Effect[];
  /** Jobs whose view has changed. */
  readonly changed: Set<JobId>;
  /** Jobs that stop and whose last attempt ended in this step. */
  readonly drained: Set<Job>;
  /** A slot became free or a task began to wait: step() ends with scheduling. */
  wantsSchedule: boolean;
  /** Whether draining workers are needed is to be looked at: step() ends with that. */
  wantsDrainCheck: boolean;
}

/** A clock that was set back must not turn leases back: time stands still until it has caught up. */
export function beginTurn(state: CoreState, now: number): Turn {
  state.now = Math.max(state.now, now);
  return {
    state,
    now: state.now,
    persist: [],
    effects: [],
    changed: new Set(),
    drained: new Set(),
    wantsSchedule: false,
    wantsDrainCheck: false,
  };
}

export function endTurn(turn: Turn): Step {
  for (const jobId of turn.changed) turn.effects.push({ type: 'job-changed', jobId });
  return { persist: turn.persist, effects: turn.effects };
}

/** A sentence for the coordinator's log, with what it is about in fields of its own. */
export function say(
  turn: Turn,
  level: 'info' | 'warn',
  { job, attempt, worker }: SaySubject,
  text: string,
): void {
  const about: LogSubject = {
    ...(job && { job: job.spec.jobId }),
    ...(attempt && { ...aboutAttempt(attempt.id), worker: attempt.worker.id }),
    ...(worker && { worker: worker.id }),
  };
  turn.effects.push({ type: 'say', level, about, text });
}

interface SaySubject {
  readonly job?: Pick<Job, 'spec'>;
  readonly attempt?: Attempt;
  readonly worker?: Pick<Worker, 'id'>;
}

export function answer(turn: Turn, worker: Pick<Worker, 'id'>, attempt: AttemptId, accepted: boolean): void {
  turn.effects.push({ type: 'send-answer', workerId: worker.id, attempt, accepted });
}

/** `m1, m2 and 7 more`: bounded however long the list is. */
export function listNames(names: readonly string[], namesMax = 10): string {
  const more = names.length - namesMax;
  return more > 0 ? `${names.slice(0, namesMax).join(', ')} and ${more} more` : names.join(', ');
}
