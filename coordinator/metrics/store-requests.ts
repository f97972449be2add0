/** The coordinator's own requests to an S3 store. */
import { Counter, Histogram, type Registry } from 'prom-client';

const durationBuckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

export class StoreRequests {
  readonly #requests;
  readonly #durations;

  constructor(registry: Registry) {
    const registers = [registry];
    this.#requests = new Counter({
      name: 'mr_s3_requests_total',
      help: 'Requests of the coordinator to S3, by operation and HTTP status or error code.',
      labelNames: ['op', 'code'] as const,
      registers,
    });
    this.#durations = new Histogram({
      name: 'mr_s3_request_duration_seconds',
      help: 'How long they took, failed ones too.',
      labelNames: ['op'] as const,
      buckets: durationBuckets,
      registers,
    });
  }

  count(operation: string, code: string | number, ms: number): void {
    this.#requests.inc({ op: operation, code: String(code) });
    this.#durations.observe({ op: operation }, ms / 1000);
  }
}
