/**
 * Whether the store answers: one cheap request now and then, so that a probe is answered from memory and many probes cost the store
 * nothing.
 */
import type { Clock } from '../lib/clock.ts';
import { MillraceError } from '../lib/errors.ts';
import { limits } from '../lib/limits.ts';
import type { Log } from '../lib/log.ts';
import type { StoreLocation } from '../lib/store/store.ts';

export interface StoreHealthPorts {
  readonly clock: Clock;
  readonly log: Log;
  /** Of the coordinator's own files. */
  readonly location: StoreLocation;
}

export class StoreHealth {
  readonly #ports: StoreHealthPorts;
  /** Undefined before the first answer. */
  #isReachable: boolean | undefined;
  #answeredAtMs = Number.NEGATIVE_INFINITY;
  #cancel: () => void = () => undefined;
  #isClosed = false;

  /** Asks at once, and again `storeCheckIntervalMs` after each answer. */
  constructor(ports: StoreHealthPorts) {
    this.#ports = ports;
    void this.#check();
  }

  /** Its last answer was good, and not long ago: a store that hangs is not reachable either. */
  get isReachable(): boolean {
    const ageMs = this.#ports.clock.monotonicMs() - this.#answeredAtMs;
    return this.#isReachable === true && ageMs < limits.storeCheckAgeMsMax;
  }

  close(): void {
    this.#isClosed = true;
    this.#cancel();
  }

  async #check(): Promise<void> {
    const { clock, log, location } = this.#ports;
    try {
      // That there is no such object is an answer.
      await location.store.head(`${location.key}ready`);
      if (this.#isReachable === false) log.info({ store: location.uri }, 'the store answers again');
      this.#isReachable = true;
    } catch (thrown) {
      const { message } = MillraceError.from(thrown, 'store-failed');
      if (this.#isReachable !== false)
        log.error({ store: location.uri, error: message }, 'the store does not answer');
      this.#isReachable = false;
    }
    this.#answeredAtMs = clock.monotonicMs();
    if (!this.#isClosed) this.#cancel = clock.after(limits.storeCheckIntervalMs, () => void this.#check());
  }
}
