/** Virtual time: what is to happen, in the order of (time, when it was asked for). Nothing in a simulation happens but through here. */
import type { Clock } from '../../lib/clock.ts';

interface Entry {
  readonly atMs: number;
  readonly seq: number;
  readonly run: () => void;
}

export class Schedule {
  nowMs = 0;
  #seq = 0;
  /** A binary heap. */
  readonly #entries: Entry[] = [];

  at(atMs: number, run: () => void): void {
    const entry = { atMs: Math.max(atMs, this.nowMs), seq: this.#seq++, run };
    let place = this.#entries.push(entry) - 1;
    while (place > 0) {
      const parent = (place - 1) >> 1;
      if (isBefore(this.#entries[parent]!, entry)) break;
      this.#entries[place] = this.#entries[parent]!;
      place = parent;
    }
    this.#entries[place] = entry;
  }

  /** Runs what is next and moves time there; false when nothing is left. */
  next(): boolean {
    const first = this.#entries[0];
    const last = this.#entries.pop();
    if (!first || !last) return false;
    if (last !== first) this.#sink(last);
    this.nowMs = first.atMs;
    first.run();
    return true;
  }

  #sink(entry: Entry): void {
    let place = 0;
    for (;;) {
      let child = place * 2 + 1;
      if (child >= this.#entries.length) break;
      const right = this.#entries[child + 1];
      if (right && isBefore(right, this.#entries[child]!)) child++;
      if (isBefore(entry, this.#entries[child]!)) break;
      this.#entries[place] = this.#entries[child]!;
      place = child;
    }
    this.#entries[place] = entry;
  }
}

function isBefore(a: Entry, b: Entry): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.seq < b.seq);
}

/** Wall clocks begin here. */
const startedAtMs = 1_800_000_000_000;

/** One process: a clock that may be wrong, and a life that may end, or stand still, at any event. */
export class SimNode implements Clock {
  readonly name: string;
  isAlive = true;
  /** It ended by itself, everything done. */
  hasLeft = false;
  /** Others hold it for dead. */
  wasGivenUp = false;
  readonly #schedule: Schedule;
  readonly #skewMs: number;
  #turnedMs = 0;
  readonly #deaths = new Set<() => void>();
  #pausedSinceMs = 0;
  #pausedUntilMs = 0;
  /** What has reached it while it stood still. */
  readonly #deferred: (() => void)[] = [];

  constructor(schedule: Schedule, name: string, skewMs: number) {
    this.#schedule = schedule;
    this.name = name;
    this.#skewMs = skewMs;
  }

  now(): number {
    return startedAtMs + Math.floor(this.#schedule.nowMs) + this.#skewMs + this.#turnedMs;
  }

  monotonicMs(): number {
    return this.#schedule.nowMs;
  }

  /** Its wall clock is set: so far off from what its skew makes of it. */
  turnClock(byMs: number): void {
    this.#turnedMs = byMs;
  }

  after(delayMs: number, run: () => void): () => void {
    let isWanted = true;
    this.#schedule.at(this.#schedule.nowMs + delayMs, () => this.run(() => isWanted && run()));
    return () => {
      isWanted = false;
    };
  }

  wait(delayMs: number): Promise<void> {
    return new Promise((resolve) => this.after(delayMs, resolve));
  }

  /** Something reaches this process: now, when it goes on, or never. */
  run(act: () => void): void {
    if (!this.isAlive) return;
    if (this.isPaused || this.#deferred.length > 0) this.#deferred.push(act);
    else act();
  }

  pause(ms: number): void {
    if (!this.isPaused) this.#pausedSinceMs = this.#schedule.nowMs;
    this.#pausedUntilMs = Math.max(this.#pausedUntilMs, this.#schedule.nowMs + ms);
    this.#schedule.at(this.#pausedUntilMs, () => this.#goOn());
  }

  get isPaused(): boolean {
    return this.#pausedUntilMs > this.#schedule.nowMs;
  }

  /** How long it has stood still; 0 while it runs. */
  get pausedForMs(): number {
    return this.isPaused ? this.#schedule.nowMs - this.#pausedSinceMs : 0;
  }

  /** Ends a pause early. */
  resume(): void {
    this.#pausedUntilMs = 0;
    this.#schedule.at(this.#schedule.nowMs, () => this.#goOn());
  }

  /** One thing after the other, as after every event. */
  #goOn(): void {
    const act = this.isPaused ? undefined : this.#deferred.shift();
    if (!act) return;
    this.#schedule.at(this.#schedule.nowMs, () => this.#goOn());
    if (this.isAlive) act();
  }

  /** Whatever it was about to do is never done. */
  kill(): void {
    if (!this.isAlive) return;
    this.isAlive = false;
    for (const tell of this.#deaths) tell();
    this.#deaths.clear();
  }

  onKilled(tell: () => void): void {
    this.#deaths.add(tell);
  }
}
