/** Slots without threads: the real map and reduce code, on this one, taking as long as the simulation says. */
import { type AttemptId, formatAttempt } from '../../lib/ids.ts';
import type { Stores } from '../../lib/store/resolve.ts';
import { createProgress } from '../../worker/user/progress.ts';
import { runTask, type TaskEnd } from '../../worker/user/run-task.ts';
import type { SlotRun, TaskListener } from '../../worker/user/slot.ts';
import type { SlotTask } from '../../worker/user/slot-messages.ts';
import type { SlotPool } from '../../worker/user/slot-pool.ts';
import { simulatedBy } from './faults.ts';
import type { SimNode } from './schedule.ts';
import type { World } from './world.ts';

interface Waiting {
  readonly task: SlotTask;
  readonly listener: TaskListener;
  readonly onStart: (run: SlotRun) => void;
}

export class SimPool implements Pick<SlotPool, 'submit' | 'endJob' | 'close'> {
  readonly #world: World;
  readonly #node: SimNode;
  readonly #stores: Stores;
  readonly #slots: number;
  /** How much slower than others this worker is. */
  readonly #slowness: number;
  #waiting: Waiting[] = [];
  #busy = 0;

  constructor(world: World, node: SimNode, stores: Stores, slots: number) {
    this.#world = world;
    this.#node = node;
    this.#stores = stores;
    this.#slots = slots;
    this.#slowness = world.random.chance(0.1) ? 50 : 1;
  }

  submit(task: SlotTask, listener: TaskListener, onStart: (run: SlotRun) => void) {
    const waiting = { task, listener, onStart };
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

  async endJob(): Promise<void> {
    // No thread was kept for it.
  }

  async close(): Promise<void> {
    this.#waiting = [];
  }

  #fill(): void {
    while (this.#busy < this.#slots) {
      const next = this.#waiting.shift();
      if (!next) return;
      this.#busy++;
      const abort = new AbortController();
      const progress = createProgress();
      const ended = this.#run(next, abort.signal, progress);
      next.onStart({ progress, ended, cancel: (reason) => abort.abort(new Error(reason)) });
      void ended.then(() => {
        this.#busy--;
        this.#fill();
      });
    }
  }

  async #run({ task, listener }: Waiting, signal: AbortSignal, progress: Float64Array): Promise<TaskEnd> {
    const { faults, between } = bind(this.#world);
    const job = this.#world.jobs.get(task.attempt.jobId)!;
    const slowness = Math.max(this.#slowness, job.slowness);
    this.#world.trace(`${this.#node.name} runs ${nameOf(task.attempt)}`);
    await this.#node.wait(between(5, 400) * slowness);
    if (faults.strikes('disk full')) {
      const failure = {
        kind: 'no-space',
        message: `the disk is full (${simulatedBy('disk full')})`,
        path: task.directory,
      } as const;
      return { end: { kind: 'failed', failure }, counters: {} };
    }
    const end = await runTask(task, {
      stores: this.#stores,
      progress,
      signal,
      job: job.userJob,
      log: (text) => listener.onLog(this.#node.now(), text),
      partListener: {
        onPartOpening: () => undefined,
        onPartOpened: (part) => listener.onPartOpened(part),
      },
    });
    this.#world.checker.ran(task, end);
    await this.#node.wait(between(1, 50) * slowness);
    return end;
  }
}

function bind(world: World) {
  return { faults: world.faults, between: world.between.bind(world) };
}

function nameOf(attempt: AttemptId): string {
  return `${attempt.jobId}/${formatAttempt(attempt)}`;
}
