/** How the store fares for a while, for everybody at once. */
import type { FaultKind } from './faults.ts';
import type { World } from './world.ts';

export class StoreWeather {
  readonly #world: World;
  #stormUntilMs = 0;
  #slowUntilMs = 0;
  #lawlessUntilMs = 0;

  constructor(world: World) {
    this.#world = world;
  }

  /** Most requests are refused. */
  storm(ms: number): void {
    this.#stormUntilMs = this.#world.schedule.nowMs + ms;
  }

  /** Requests take long, and some are asked to come again later. */
  slowDown(ms: number): void {
    this.#slowUntilMs = this.#world.schedule.nowMs + ms;
  }

  /** What is to be created only if it is not there replaces what is there. */
  ignoreConditions(ms: number): void {
    this.#lawlessUntilMs = this.#world.schedule.nowMs + ms;
  }

  clear(): void {
    this.#stormUntilMs = 0;
    this.#slowUntilMs = 0;
    this.#lawlessUntilMs = 0;
  }

  get ignoresConditions(): boolean {
    return this.#world.schedule.nowMs < this.#lawlessUntilMs;
  }

  get delayMs(): number {
    return this.#world.schedule.nowMs < this.#slowUntilMs ? this.#world.between(100, 1_500) : 0;
  }

  /** Of one request: why it is refused, if it is. */
  get refusal(): { readonly kind: FaultKind; readonly why: string } | undefined {
    const { schedule, random } = this.#world;
    if (schedule.nowMs < this.#stormUntilMs && random.chance(0.7)) {
      return { kind: 'store in a storm of 503', why: '503 SlowDown' };
    }
    if (schedule.nowMs < this.#slowUntilMs && random.chance(0.2)) {
      return { kind: 'store slows everybody down', why: '429 too many requests' };
    }
    return undefined;
  }
}
