/**
 * What Prometheus scrapes. Counters come from job events and from the coordinator's own requests, gauges from a view of the cluster
 * taken at the scrape. Labels are of small closed sets only: never a job, a task, a worker or a key.
 */
import { Gauge, Registry } from 'prom-client';
import type { ClusterView } from '../../lib/cluster-view.ts';
import { ClusterGauges } from './cluster-gauges.ts';
import { JobCounters } from './job-counters.ts';
import { measureProcess } from './process-metrics.ts';
import { RefusedConnections } from './refused-connections.ts';
import { StoreRequests } from './store-requests.ts';
import { WorkerLosses } from './worker-losses.ts';

export class Metrics {
  /** The text exposition format, version 0.0.4. */
  readonly contentType: string = Registry.PROMETHEUS_CONTENT_TYPE;
  readonly #registry = new Registry();
  readonly #process = measureProcess();
  readonly #gauges = new ClusterGauges(this.#registry);
  readonly jobs = new JobCounters(this.#registry);
  readonly workerLosses = new WorkerLosses(this.#registry);
  readonly storeRequests = new StoreRequests(this.#registry);
  readonly refusedConnections = new RefusedConnections(this.#registry);
  readonly #leader = new Gauge({
    name: 'mr_leader',
    help: '1 while this coordinator leads, 0 while it is a standby or has stopped leading.',
    registers: [this.#registry],
  });

  constructor(softwareVersion: string) {
    const build = new Gauge({
      name: 'mr_build_info',
      help: 'Always 1; the versions that run are in the labels.',
      labelNames: ['version', 'node_version'],
      registers: [this.#registry],
    });
    build.set({ version: softwareVersion, node_version: process.versions.node }, 1);
  }

  /** With the gauges of the cluster as it is; undefined while another coordinator leads it. */
  async text(cluster: ClusterView | undefined): Promise<string> {
    this.#leader.set(cluster ? 1 : 0);
    if (cluster) this.#gauges.set(cluster);
    return `${await this.#registry.metrics()}\n${await this.#process.metrics()}`;
  }
}
