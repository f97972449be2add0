/** Bugs of attempts, what is reported of them, and what they are charged. */
import type { CoreState } from '../../../coordinator/core/state.ts';
import { type AttemptId, attemptKey, formatTask, type WorkerId } from '../../../lib/ids.ts';
import type { AttemptReport } from '../../../lib/reports.ts';
import { Outbox } from '../../../worker/control/outbox.ts';
import { deaf, type Mutant, misheard, mute, patchMethod, taskOf } from './mutant.ts';

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

const idsReused: Mutant = {
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
    const now = taskOf(state, event.report)?.attempts[0];
    if (!now || state.workers.get(event.workerId)?.attempts.has(now.key)) return undefined;
    return { ...event, workerId: now.worker.id, report: { ...event.report, attempt: now.id } };
  },
};

const losersAccepted: Mutant = {
  name: 'a backup that ends second is accepted as well',
  event(event, state) {
    if (event.type !== 'attempt-reported' || event.report.outcome.kind === 'failed') return undefined;
    const attempt = state.workers.get(event.workerId)?.attempts.get(attemptKey(event.report.attempt));
    if (attempt?.status !== 'cancelling' || attempt.task.status !== 'done') return undefined;
    const table = attempt.job[attempt.task.kind];
    attempt.status = 'running';
    attempt.task.status = 'running';
    table.running.add(attempt.task);
    table.done--;
    return undefined;
  },
};

/** By its own clock, which is wrong. */
function skewOf(workerId: WorkerId): number {
  return [0, -100_000, 100_000][Number(/\d+/.exec(workerId)?.[0] ?? 0) % 3]!;
}

function leaseByWallClock(): Mutant {
  const heard = new Map<WorkerId, number>();
  return {
    name: 'leases are judged by the wall clocks of workers',
    patch() {
      heard.clear();
      return () => undefined;
    },
    event(event, state) {
      if (event.type === 'worker-heartbeat') heard.set(event.workerId, event.now + skewOf(event.workerId));
      if (event.type !== 'tick') return undefined;
      for (const worker of state.workers.values())
        worker.lastHeartbeatMs = heard.get(worker.id) ?? worker.lastHeartbeatMs;
      return undefined;
    },
  };
}

/** What was said on a stream that broke is taken for heard. */
function reportsSaidOnce(): Mutant {
  return {
    name: 'a report that went down with its stream is not said again',
    patch() {
      const said = new WeakMap<Outbox, Set<string>>();
      return patchMethod(
        Outbox.prototype,
        'report',
        (report) =>
          function (this: Outbox, one: AttemptReport) {
            const before = said.get(this) ?? new Set();
            said.set(this, before);
            if (!before.has(attemptKey(one.attempt))) report.call(this, one);
            before.add(attemptKey(one.attempt));
          },
      );
    },
  };
}

export const attemptMutants: readonly Mutant[] = [
  idsReused,
  staleReports,
  losersAccepted,
  leaseByWallClock(),
  reportsSaidOnce(),
  {
    name: 'reports are taken whatever their epoch',
    event: misheard((report, { config: { epoch } }) => ({
      ...report,
      attempt: { ...report.attempt, epoch },
    })),
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
  { name: 'answers to reports are lost', effect: mute('send-answer') },
  { name: 'attempts are not told that they are cancelled', effect: mute('send-cancel') },
  {
    name: 'a late report does not give its place back',
    event(event, state) {
      if (event.type !== 'attempt-reported') return undefined;
      const attempt = state.workers.get(event.workerId)?.attempts.get(attemptKey(event.report.attempt));
      return attempt?.status === 'cancelling' ? { type: 'tick', now: event.now } : undefined;
    },
  },
  {
    name: 'what a worker does not run any more after a reconnect is not noticed',
    plan: { 'stream broken': 0.1, 'store slow': 0.3 },
    event(event, state) {
      if (event.type !== 'worker-joined') return undefined;
      const known = state.workers.get(event.worker.workerId)?.attempts.values() ?? [];
      return { ...event, running: [...event.running, ...[...known].map(({ id }) => id)] };
    },
  },
  {
    name: 'a mistake of the user is charged to nobody',
    event: misheard((report) =>
      report.outcome.kind === 'failed' && report.outcome.failure.kind === 'user-error'
        ? { ...report, outcome: { kind: 'failed', failure: { kind: 'cancelled', message: 'not charged' } } }
        : undefined,
    ),
  },
  {
    name: 'a full disk is taken for a mistake of the user',
    plan: { 'disk full': 0.3 },
    event: misheard((report) =>
      report.outcome.kind === 'failed' && report.outcome.failure.kind === 'no-space'
        ? {
            ...report,
            outcome: { kind: 'failed', failure: { kind: 'input-changed', message: 'it changed', uri: '' } },
          }
        : undefined,
    ),
  },
  {
    name: 'counters of attempts before the accepted one count',
    event: misheard((report) => {
      if (report.attempt.attempt === 0) return undefined;
      const counters = Object.entries(report.counters).map(([name, value]) => [name, value * 2]);
      return { ...report, counters: Object.fromEntries(counters) };
    }),
  },
  {
    name: 'bad records of a map that ran again count twice',
    plan: { 'run file gone': 0.4, 'worker killed': 0.1, 'coordinator stopped': 0.15, 'worker paused': 0.1 },
    event: misheard((report) => {
      const { outcome, attempt } = report;
      if (outcome.kind !== 'map-done' || !outcome.report.bad || attempt.attempt === 0) return undefined;
      const { part, examples } = outcome.report.bad;
      const bad = { part: { ...part, records: part.records * 2 }, examples };
      return { ...report, outcome: { ...outcome, report: { ...outcome.report, bad } } };
    }),
  },
  {
    name: 'records that were skipped count nowhere',
    event: misheard((report) => {
      const { outcome } = report;
      if (outcome.kind !== 'map-done' || !outcome.report.bad) return undefined;
      return { ...report, outcome: { ...outcome, report: { ...outcome.report, bad: undefined } } };
    }),
  },
];
