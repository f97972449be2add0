/**
 * The standard gRPC health service, for probes: an empty service name, and each service of the server by its own. It says whether work
 * may be sent here, not whether the process lives: a worker that waits for its coordinator is alive and NOT_SERVING.
 */
import type { Server } from '@grpc/grpc-js';

export interface Health {
  /** Tells who watches, too. NOT_SERVING before the first call. */
  setServing(isServing: boolean): void;
}

/** Adds the service to a server. Its package is loaded here, so that who serves no probes pays nothing for it. */
export async function addHealth(server: Server, services: readonly string[]): Promise<Health> {
  const { HealthImplementation } = await import('grpc-health-check');
  const names = ['', ...services];
  const health = new HealthImplementation(Object.fromEntries(names.map((name) => [name, 'NOT_SERVING'])));
  health.addToServer(server);
  let was = false;
  return {
    setServing(isServing) {
      if (isServing === was) return;
      was = isServing;
      for (const name of names) health.setStatus(name, isServing ? 'SERVING' : 'NOT_SERVING');
    },
  };
}

export const noHealth: Health = { setServing: () => undefined };
