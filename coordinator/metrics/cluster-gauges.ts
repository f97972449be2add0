/** Gauges of the cluster as it is when Prometheus asks. Sums over workers: who wants one worker asks `millrace workers`. */
import { Gauge, type Registry } from 'prom-client';
import { type ClusterView, type TaskCounts, type WorkerView, workerStates } from '../../lib/cluster-view.ts';
import { jobStates } from '../../lib/job-view.ts';

const taskStates = ['pending', 'running', 'completed', 'failed'] as const satisfies (keyof TaskCounts)[];

/** Every state is set even when there is none in it, so that a graph has a zero and not a hole. */
interface GaugeKind {
  readonly name: string;
  readonly help: string;
  readonly labels: readonly string[];
  set(gauge: Gauge, cluster: ClusterView): void;
}

const kinds: readonly GaugeKind[] = [
  {
    name: 'mr_jobs',
    help: 'Jobs the coordinator knows, by state.',
    labels: ['state'],
    set(gauge, { jobs }) {
      for (const state of jobStates) gauge.set({ state }, jobs[state] ?? 0);
    },
  },
  {
    name: 'mr_tasks',
    help: 'Tasks of the active jobs by phase and state; failed counts attempts.',
    labels: ['phase', 'state'],
    set(gauge, { maps, reduces }) {
      for (const state of taskStates) {
        gauge.set({ phase: 'map', state }, maps[state]);
        gauge.set({ phase: 'reduce', state }, reduces[state]);
      }
    },
  },
  {
    name: 'mr_workers',
    help: 'Workers that are not lost, by state.',
    labels: ['state'],
    set(gauge, { workers }) {
      const counts = Map.groupBy(workers, (worker) => worker.state);
      for (const state of workerStates) gauge.set({ state }, counts.get(state)?.length ?? 0);
    },
  },
  {
    name: 'mr_worker_slots',
    help: 'Slots of all workers.',
    labels: ['state'],
    set(gauge, { slots, slotsUsed }) {
      gauge.set({ state: 'used' }, slotsUsed);
      gauge.set({ state: 'free' }, Math.max(0, slots - slotsUsed));
    },
  },
  {
    name: 'mr_worker_memory_bytes',
    help: 'Memory of all workers: resident, and the limits of their containers or machines.',
    labels: ['kind'],
    set(gauge, { workers }) {
      gauge.set(
        { kind: 'rss' },
        sum(workers, (worker) => worker.rssBytes),
      );
      gauge.set(
        { kind: 'limit' },
        sum(workers, (worker) => worker.memoryBytesMax),
      );
    },
  },
  {
    name: 'mr_worker_scratch_bytes',
    help: 'Scratch space of all workers: held, and the most they may hold.',
    labels: ['kind'],
    set(gauge, { workers }) {
      gauge.set(
        { kind: 'held' },
        sum(workers, (worker) => worker.scratchBytes),
      );
      gauge.set(
        { kind: 'limit' },
        sum(workers, (worker) => worker.scratchBytesMax),
      );
    },
  },
  {
    name: 'mr_worker_scratch_fullest_ratio',
    help: 'How full the scratch space of the fullest worker is, 0 to 1.',
    labels: [],
    set(gauge, { workers }) {
      gauge.set(Math.max(0, ...workers.map(fillOf)));
    },
  },
  {
    name: 'mr_worker_cpu_cores',
    help: 'Cores that all workers keep busy.',
    labels: [],
    set(gauge, { workers }) {
      gauge.set(sum(workers, (worker) => worker.cpuFraction));
    },
  },
];

export class ClusterGauges {
  readonly #gauges: readonly { readonly kind: GaugeKind; readonly gauge: Gauge }[];

  constructor(registry: Registry) {
    this.#gauges = kinds.map((kind) => {
      const { name, help, labels } = kind;
      const gauge = new Gauge({ name, help, labelNames: [...labels], registers: [registry] });
      return { kind, gauge };
    });
  }

  set(cluster: ClusterView): void {
    for (const { kind, gauge } of this.#gauges) kind.set(gauge, cluster);
  }
}

function fillOf({ scratchBytes, scratchBytesMax }: WorkerView): number {
  return scratchBytesMax > 0 ? scratchBytes / scratchBytesMax : 0;
}

function sum(workers: readonly WorkerView[], of: (worker: WorkerView) => number): number {
  return workers.reduce((total, worker) => total + of(worker), 0);
}
