/**
 * The slots of a worker: so many tasks at once, first come, first served. Threads are kept for the next task of the same job; a task of
 * another job gets a fresh thread, so that jobs never see each other's globals. A few are started before they are needed.
 */
import { MillraceError } from '../../lib/errors.ts';
import { Slot, type SlotRun, type SlotSettings, type TaskListener } from './slot.ts';
import type { SlotTask } from './slot-messages.ts';

/** Threads that wait for a job: two are enough for a small one to begin at once, and a large one does not feel how its threads start. */
const sparesMax = 2;

export interface SlotPoolSettings extends SlotSettings {
  readonly slots: number;
  /** Nothing is kept ready for a job after the first. */
  readonly oneJob?: boolean | undefined;
}

interface Waiting {
  readonly task: SlotTask;
  readonly listener: TaskListener;
  readonly onStart: (run: SlotRun) => void;
}

/** A place in the queue, or in a slot. */
export interface PoolTicket {
  /** False when the task had begun already: then cancel its run. */
  withdraw(): boolean;
}

export class SlotPool {
  readonly #settings: SlotPoolSettings;
  #waiting: Waiting[] = [];
  #idle: Slot[] = [];
  #spare: Slot[] = [];
  readonly #busy = new Set<Slot>();
  #isClosed = false;

  constructor(settings: SlotPoolSettings) {
    this.#settings = settings;
  }

  /** Starts a few threads, as far as there are slots for them: the next job need not wait for that. */
  warm(): void {
    if (this.#isClosed) return;
    this.#spare = this.#spare.filter((slot) => !slot.isDead);
    while (this.#spare.length < sparesMax && this.#threads < this.#settings.slots) {
      this.#spare.push(new Slot(this.#settings));
    }
  }

  /** `onStart` is called when a slot is free, maybe at once. Never called after `withdraw` or `close`. */
  submit(task: SlotTask, listener: TaskListener, onStart: (run: SlotRun) => void): PoolTicket {
    if (this.#isClosed) throw new MillraceError('cancelled', 'the worker is closing');
    const waiting: Waiting = { task, listener, onStart };
    this.#waiting.push(waiting);
    this.#fill();
    return {
      withdraw: () => {
        const before = this.#waiting.length;
        this.#waiting = this.#waiting.filter((other) => other !== waiting);
        return this.#waiting.length < before;
      },
    };
  }

  /** Stops the threads that only wait for more tasks of this job. */
  async endJob(jobId: string): Promise<void> {
    const ended = this.#idle.filter((slot) => slot.jobId === jobId);
    this.#idle = this.#idle.filter((slot) => slot.jobId !== jobId);
    await Promise.all(ended.map((slot) => slot.close()));
    if (!this.#settings.oneJob) this.warm();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#waiting = [];
    await Promise.all([...this.#idle, ...this.#spare, ...this.#busy].map((slot) => slot.close()));
    this.#idle = [];
    this.#spare = [];
  }

  get #threads(): number {
    return this.#idle.length + this.#spare.length + this.#busy.size;
  }

  #fill(): void {
    while (this.#busy.size < this.#settings.slots) {
      const next = this.#waiting.shift();
      if (!next) return;
      this.#start(next);
    }
  }

  #start({ task, listener, onStart }: Waiting): void {
    const slot = this.#takeSlot(task);
    this.#busy.add(slot);
    const run = slot.run(task, listener);
    onStart(run);
    run.ended.then(() => this.#release(slot));
  }

  #takeSlot(task: SlotTask): Slot {
    const { jobId } = task.attempt;
    const at = this.#idle.findIndex((slot) => slot.jobId === jobId && !slot.isDead);
    if (at >= 0) return this.#idle.splice(at, 1)[0]!;
    for (let spare = this.#spare.shift(); spare; spare = this.#spare.shift()) if (!spare.isDead) return spare;
    // Idle threads count as memory too: the oldest makes room.
    if (this.#threads >= this.#settings.slots) void this.#idle.shift()?.close();
    return new Slot(this.#settings);
  }

  #release(slot: Slot): void {
    this.#busy.delete(slot);
    if (!slot.isDead) this.#idle.push(slot);
    if (!this.#isClosed) this.#fill();
  }
}
