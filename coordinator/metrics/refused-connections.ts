/** Connections to the gRPC port that were too many. */
import { Counter, type Registry } from 'prom-client';

export class RefusedConnections {
  readonly #refused;

  constructor(registry: Registry) {
    this.#refused = new Counter({
      name: 'mr_grpc_connections_refused_total',
      help: 'Connections to the gRPC port that were closed as they came, because as many as it takes were open.',
      registers: [registry],
    });
  }

  count(): void {
    this.#refused.inc();
  }
}
