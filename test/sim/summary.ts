/** What many seeds came to. */
import type { Outcome } from './simulate.ts';

/** In a seed with so many changes of lead. */
export const threeLeads = 'three changes of lead or more';

interface Reached {
  times: number;
  /** In so many seeds at least once. */
  seeds: number;
}

export class Summary {
  readonly reached = new Map<string, Reached>();
  readonly #startedMs = performance.now();
  seeds = 0;
  violations = 0;
  #events = 0;

  add({ violation, events, coverage }: Outcome): void {
    this.seeds++;
    this.#events += events;
    if (violation !== undefined) this.violations++;
    const changes = coverage.get('lead taken over') ?? 0;
    for (const [what, times] of [...coverage, ...(changes >= 3 ? [[threeLeads, changes] as const] : [])]) {
      const before = this.reached.get(what) ?? { times: 0, seeds: 0 };
      this.reached.set(what, { times: before.times + times, seeds: before.seeds + 1 });
    }
  }

  /** The share of the seeds in which it happened. */
  shareOf(what: string): number {
    return (this.reached.get(what)?.seeds ?? 0) / this.seeds;
  }

  /** Times, share of seeds, what. */
  table(): string {
    const rows = [...this.reached].sort(([a], [b]) => (a < b ? -1 : 1));
    const show = ([what, { times }]: (typeof rows)[number]) =>
      `${String(times).padStart(9)} ${(this.shareOf(what) * 100).toFixed(1).padStart(6)} %  ${what}`;
    return rows.map(show).join('\n');
  }

  line(): string {
    return `${this.#events} events, ${this.#faults} faults, ${this.violations} violations, ${this.#seconds} s`;
  }

  /** Of a table: date, commit, seeds, events, faults, violations, seconds. */
  row(first: number, commit: string): string {
    const [date] = new Date().toISOString().split('T');
    const cells = [date, commit, `${first} to ${first + this.seeds - 1}`, this.#events, this.#faults];
    return `| ${[...cells, this.violations, this.#seconds].join(' | ')} |`;
  }

  get #seconds(): string {
    return ((performance.now() - this.#startedMs) / 1_000).toFixed(0);
  }

  get #faults(): number {
    return [...this.reached].reduce(
      (sum, [what, { times }]) => sum + (what.startsWith('fault: ') ? times : 0),
      0,
    );
  }
}
