/**
 * The workers that have a place, while tasks are given out: the best one is known at once, however many there are. A heap by speed, load
 * and order of joining; only load changes meanwhile, and only of the worker that was given something.
 */
import { chooseWorker, hasPlace, isIdler, type Lane } from './choose-worker.ts';
import type { CoreState, Task, Worker } from './state.ts';

export class FreeWorkers {
  readonly #lane: Lane;
  /** `[at]` is no worse than `[2 at + 1]` and `[2 at + 2]`. */
  readonly #heap: Worker[];
  readonly #places = new Map<Worker, number>();
  /** Made when the first task with hosts asks. */
  #byHost: Map<string, Set<Worker>> | undefined;

  constructor(workers: readonly Worker[], lane: Lane) {
    this.#lane = lane;
    this.#heap = [...workers];
    for (const [at, worker] of this.#heap.entries()) this.#places.set(worker, at);
    for (let at = (this.#heap.length >> 1) - 1; at >= 0; at--) this.#sink(at);
  }

  get size(): number {
    return this.#heap.length;
  }

  hasHost(host: string): boolean {
    return (this.#hosts().get(host)?.size ?? 0) > 0;
  }

  /** As {@link chooseWorker} chooses among all of them. */
  choose(state: CoreState, task: Task, hosts: readonly string[]): Worker | undefined {
    if (task.trouble) return chooseWorker(state, task, hosts, this.#heap);
    return this.#bestOn(hosts) ?? this.#heap[0];
  }

  /** To be called after it was given a task. */
  update(worker: Worker): void {
    const at = this.#places.get(worker);
    if (at === undefined) return;
    if (hasPlace(worker, this.#lane)) this.#sink(at);
    else this.#remove(at);
  }

  #bestOn(hosts: readonly string[]): Worker | undefined {
    let best: Worker | undefined;
    for (const host of hosts) {
      for (const worker of this.#hosts().get(host) ?? []) if (!best || isIdler(worker, best)) best = worker;
    }
    return best;
  }

  #hosts(): Map<string, Set<Worker>> {
    if (this.#byHost) return this.#byHost;
    this.#byHost = new Map();
    for (const worker of this.#heap) {
      const there = this.#byHost.get(worker.info.host);
      if (there) there.add(worker);
      else this.#byHost.set(worker.info.host, new Set([worker]));
    }
    return this.#byHost;
  }

  /** The last one takes its place, and may be better than what is above it. */
  #remove(at: number): void {
    const worker = this.#heap[at]!;
    const last = this.#heap.pop()!;
    this.#places.delete(worker);
    this.#byHost?.get(worker.info.host)?.delete(worker);
    if (last === worker) return;
    this.#put(last, at);
    this.#rise(at);
    this.#sink(this.#places.get(last)!);
  }

  #rise(from: number): void {
    for (let at = from; at > 0; ) {
      const above = (at - 1) >> 1;
      if (!isIdler(this.#heap[at]!, this.#heap[above]!)) return;
      this.#swap(at, above);
      at = above;
    }
  }

  #sink(from: number): void {
    for (let at = from; ; ) {
      const [left, right] = [2 * at + 1, 2 * at + 2];
      let best = at;
      if (left < this.#heap.length && isIdler(this.#heap[left]!, this.#heap[best]!)) best = left;
      if (right < this.#heap.length && isIdler(this.#heap[right]!, this.#heap[best]!)) best = right;
      if (best === at) return;
      this.#swap(at, best);
      at = best;
    }
  }

  #swap(a: number, b: number): void {
    const [first, second] = [this.#heap[a]!, this.#heap[b]!];
    this.#put(first, b);
    this.#put(second, a);
  }

  #put(worker: Worker, at: number): void {
    this.#heap[at] = worker;
    this.#places.set(worker, at);
  }
}
