/** The HTTP port of a running coordinator: probes with the look at the store that they are answered from, and metrics. */
import type { Address } from '../lib/address.ts';
import type { Clock } from '../lib/clock.ts';
import type { ClusterView } from '../lib/cluster-view.ts';
import type { Log } from '../lib/log.ts';
import type { Guard } from '../lib/security/guard.ts';
import type { StoreLocation } from '../lib/store/store.ts';
import { metricsRoutes, probeRoutes } from './http-routes.ts';
import { type HttpServer, startHttpServer } from './http-server.ts';
import type { Metrics } from './metrics/metrics.ts';
import { StoreHealth } from './store-health.ts';

export interface ServeHttpOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly guard: Guard;
  /** Of the coordinator's own files. */
  readonly location: StoreLocation;
  readonly metrics: Metrics;
  /** The cluster now; undefined while this coordinator does not lead. */
  view(): ClusterView | undefined;
}

/** Throws `unavailable` naming the address when it cannot be bound. */
export async function serveHttp(listen: Address, options: ServeHttpOptions): Promise<HttpServer> {
  const { guard, log } = options;
  const storeHealth = new StoreHealth(options);
  const probes = probeRoutes({
    isLeading: () => options.view() !== undefined,
    isStoreReachable: () => storeHealth.isReachable,
  });
  const routes = { ...probes, ...metricsRoutes(options.metrics, () => options.view()) };
  try {
    const server = await startHttpServer({ listen, guard, log, routes });
    return {
      address: server.address,
      async [Symbol.asyncDispose]() {
        storeHealth.close();
        await server[Symbol.asyncDispose]();
      },
    };
  } catch (error) {
    storeHealth.close();
    throw error;
  }
}
