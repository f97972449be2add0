/** How much time a benchmark may still take. */
const secondsMin = 30;

export class Budget {
  readonly #endsMs: number;

  /** Undefined: any. */
  constructor(totalMs: number | undefined) {
    this.#endsMs = totalMs === undefined ? Number.POSITIVE_INFINITY : performance.now() + totalMs;
  }

  get leftMs(): number {
    return this.#endsMs - performance.now();
  }

  /** Whether something that takes about so long may begin. */
  allows(seconds: number): boolean {
    return seconds * 1000 <= this.leftMs;
  }

  /** How long something that was allowed may take: a guess that was too low does not end it at once. */
  timeoutMs(most: number): number {
    return Math.min(most, Math.max(this.leftMs, secondsMin * 1000));
  }
}
