/** Which faults a seed has, and how often. Each seed has some kinds and not others: what hides behind a louder fault is found by a seed without it. */
import type { Random } from '../core/fake-cluster.ts';
import type { Schedule } from './schedule.ts';

/** The chance at each occasion, when the seed has the kind at all. */
const chances = {
  // Of a message.
  'message late': 0.02,
  'message twice': 0.1,
  'stream broken': 0.004,
  'fetch cut': 0.5,
  'fetch byte flipped': 0.5,
  // Of a request to the store.
  'store slow': 0.03,
  'store fails before': 0.02,
  'store fails after': 0.02,
  'store says 409': 0.02,
  'store says 412 to its own write': 0.05,
  'store body ends early': 0.03,
  'store list lags': 0.05,
  'journal byte flipped': 0.2,
  // Of a read of a worker's files, and of all that writes there.
  'disk write fails': 0.05,
  'disk read fails': 0.05,
  // Of a task.
  'disk full': 0.2,
  // Of a round of the trouble maker.
  partition: 0.1,
  'one-way partition': 0.1,
  'partial partition': 0.1,
  'hosts clogged in turn': 0.03,
  'store out of reach': 0.05,
  'store in a storm of 503': 0.03,
  'store slows everybody down': 0.04,
  'store ignores conditions': 0.02,
  'clock jumps': 0.05,
  'worker killed': 0.05,
  'worker restarted': 0.08,
  'worker paused': 0.1,
  'worker drained': 0.03,
  'worker added': 0.05,
  'coordinator paused': 0.05,
  'coordinator killed': 0.1,
  'coordinator stopped': 0.1,
  'coordinator deposed': 0.15,
  'leader and half of the workers killed': 0.02,
  'run file damaged': 0.1,
  'run file gone': 0.15,
  'disk vanished': 0.03,
  'job cancelled': 0.02,
} as const;

export type FaultKind = keyof typeof chances;
export const faultKinds = Object.keys(chances) as readonly FaultKind[];

/** More seeds have these: they seldom find something to strike, or it takes several of them. */
const likelier: ReadonlySet<FaultKind> = new Set([
  'fetch cut',
  'fetch byte flipped',
  'disk full',
  'disk read fails',
  'store ignores conditions',
  'coordinator killed',
  'coordinator stopped',
  'coordinator deposed',
]);

/** In the message of every failure that was made up; */
export const simulated = 'simulated';

/** with the fault behind it, so that whoever ends because of it can be asked whether it struck. */
export function simulatedBy(kind: FaultKind): string {
  return `${simulated}: ${kind}`;
}

/** What a seed is given instead of drawing it: these kinds and no others, each with its chance at each occasion. */
export type FaultPlan = Readonly<Partial<Record<FaultKind, number>>>;

/** Faults stop here; then everything must end well by itself. */
export const faultsUntilMs = 60_000;

export class Faults {
  readonly #random: Random;
  readonly #schedule: Schedule;
  readonly #rates = new Map<FaultKind, number>();
  readonly #count: (what: string) => void;
  /** How often each kind has struck. */
  readonly struck = new Map<FaultKind, number>();

  constructor(random: Random, schedule: Schedule, count: (what: string) => void, plan?: FaultPlan) {
    this.#random = random;
    this.#schedule = schedule;
    this.#count = count;
    const share = random.pick([0, 0.1, 0.25, 0.4, 0.6])!;
    for (const kind of faultKinds) {
      const drawn = random.chance(likelier.has(kind) ? share * 2 : share)
        ? chances[kind] * random.pick([0.5, 1, 2])!
        : undefined;
      const rate = plan ? plan[kind] : drawn;
      if (rate !== undefined) this.#rates.set(kind, rate);
    }
  }

  get areOver(): boolean {
    return this.#schedule.nowMs >= faultsUntilMs;
  }

  /** Whether it happens now. */
  strikes(kind: FaultKind): boolean {
    const rate = this.#rates.get(kind);
    if (rate === undefined || this.areOver || !this.#random.chance(rate)) return false;
    this.struck.set(kind, (this.struck.get(kind) ?? 0) + 1);
    this.#count(`fault: ${kind}`);
    return true;
  }
}
