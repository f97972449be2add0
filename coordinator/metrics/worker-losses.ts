/** Workers that left or were given up. */
import { Counter, type Registry } from 'prom-client';
import { type WorkerLossReason, workerLossReasons } from '../../lib/cluster-view.ts';

export class WorkerLosses {
  readonly #losses;

  constructor(registry: Registry) {
    this.#losses = new Counter({
      name: 'mr_worker_lost_total',
      help: 'Workers that are gone: silent for too long, restarted, or left by themselves.',
      labelNames: ['reason'] as const,
      registers: [registry],
    });
    for (const reason of workerLossReasons) this.#losses.inc({ reason }, 0);
  }

  count(reason: WorkerLossReason): void {
    this.#losses.inc({ reason });
  }
}
