/**
 * The one place where the core meets the world: inbox -> step -> journal -> effects. Events are stepped in the order they
 * came; what they persist is written in one append; only then their effects run, in order. While an append is under way
 * new events gather, so a busy coordinator commits in groups.
 */
import type { Clock } from '../lib/clock.ts';
import { MillraceError } from '../lib/errors.ts';
import type { Effect, PersistRecord, Step } from './core/effects.ts';
import type { Event } from './core/events.ts';
import type { Journal } from './journal.ts';

/** An event before the loop gives it its time. */
export type Happening = Event extends infer E ? (E extends Event ? Omit<E, 'now'> : never) : never;

export interface LoopPorts {
  readonly clock: Clock;
  readonly journal: Journal;
  step(event: Event): Step;
  /** Never throws: an effect that fails comes back as an event. */
  perform(effect: Effect): void;
  /** All that was stepped is durable, and its effects are started: nothing else is decided before this returns. */
  committed?(): void;
  /** The journal or the core failed: nothing more is stepped. */
  onFatal(error: unknown): void;
}

export class Loop {
  readonly #ports: LoopPorts;
  readonly #inbox: Happening[] = [];
  #tickIsDue = false;
  #draining: Promise<void> | undefined;
  #stopped = false;
  readonly #startedAtMs: number;

  constructor(ports: LoopPorts) {
    this.#ports = ports;
    const { clock } = ports;
    this.#startedAtMs = clock.now() - clock.monotonicMs();
  }

  /** Takes the event; it is stepped soon, after all that came before it. */
  dispatch(happening: Happening): void {
    if (this.#stopped) return;
    if (happening.type === 'tick') this.#tickIsDue = true;
    else this.#inbox.push(happening);
    this.#draining ??= this.#drain();
  }

  /** Resolves when the inbox is empty and all effects of what was in it have been started. */
  async idle(): Promise<void> {
    while (this.#draining) await this.#draining;
  }

  /** As {@link idle}. Throws `unavailable` when the loop has stopped: what was dispatched may be lost, and nobody may be told otherwise. */
  async settled(): Promise<void> {
    await this.idle();
    if (!this.#stopped) return;
    throw new MillraceError(
      'unavailable',
      'this coordinator does not lead any more (its log says why): ask again when another one does',
    );
  }

  stop(): void {
    this.#stopped = true;
    this.#inbox.length = 0;
    this.#tickIsDue = false;
  }

  async #drain(): Promise<void> {
    try {
      // A turn of the event loop first, so that what comes in one read is stepped and committed together.
      await Promise.resolve();
      while (this.#inbox.length > 0 || this.#tickIsDue) await this.#group();
    } catch (error) {
      this.stop();
      this.#ports.onFatal(error);
    } finally {
      this.#draining = undefined;
    }
  }

  async #group(): Promise<void> {
    const persist: PersistRecord[] = [];
    const effects: Effect[] = [];
    for (const happening of this.#takeInbox()) {
      const step = this.#ports.step({ ...happening, now: this.#now() } as Event);
      persist.push(...step.persist);
      effects.push(...step.effects);
    }
    if (persist.length > 0) await this.#ports.journal.append(persist);
    for (const effect of effects) this.#ports.perform(effect);
    this.#ports.committed?.();
  }

  /**
   * A tick goes last, and once: what workers said while an append took its time is heard before their leases are judged.
   */
  #takeInbox(): Happening[] {
    const happenings = this.#inbox.splice(0);
    if (this.#tickIsDue) happenings.push({ type: 'tick' });
    this.#tickIsDue = false;
    return happenings;
  }

  /** As the wall clock said at the start, and monotonic since: one that is set an hour back must not stop leases from ending, or end them all. */
  #now(): number {
    return Math.floor(this.#startedAtMs + this.#ports.clock.monotonicMs());
  }
}
