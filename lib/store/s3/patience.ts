/**
 * How long a request is repeated that failed for a passing reason. A task that met a store being restarted would fail within a second
 * with the few tries that the SDK makes, and its job with it; whoever waits at a prompt wants to hear of a wrong endpoint at once.
 */
import type { S3ClientConfig } from '@aws-sdk/client-s3';
import type { Clock } from '../../clock.ts';
import { backOffMs } from './backoff.ts';

type ConfiguredStrategy = NonNullable<S3ClientConfig['retryStrategy']>;
type RetryStrategy = Extract<ConfiguredStrategy, { refreshRetryTokenForRetry: unknown }>;
type RetryToken = Awaited<ReturnType<RetryStrategy['acquireInitialRetryToken']>>;
type Failure = Parameters<RetryStrategy['refreshRetryTokenForRetry']>[1];

class PatientToken {
  readonly startedAtMs: number;
  readonly #retries: number;

  constructor(startedAtMs: number, retries: number) {
    this.startedAtMs = startedAtMs;
    this.#retries = retries;
  }

  getRetryCount(): number {
    return this.#retries;
  }

  getRetryDelay(): number {
    return this.#retries === 0 ? 0 : backOffMs(this.#retries);
  }
}

/**
 * Repeats each request until it succeeds, is refused, or its patience is over. Unlike the SDK's own strategy it has no budget that all requests
 * of a process share: while a store is away that would be gone at once.
 */
export class Patience implements RetryStrategy {
  readonly #patienceMs: number;
  readonly #clock: Clock;

  constructor(patienceMs: number, clock: Clock) {
    this.#patienceMs = patienceMs;
    this.#clock = clock;
  }

  async acquireInitialRetryToken(): Promise<PatientToken> {
    return new PatientToken(this.#clock.monotonicMs(), 0);
  }

  /** Throws when the request is not to be repeated; the SDK then throws what it failed with. */
  async refreshRetryTokenForRetry(token: RetryToken, { errorType }: Failure): Promise<PatientToken> {
    const startedAtMs = token instanceof PatientToken ? token.startedAtMs : this.#clock.monotonicMs();
    const spentMs = this.#clock.monotonicMs() - startedAtMs;
    const isPassing = errorType === 'TRANSIENT' || errorType === 'THROTTLING';
    if (!isPassing || spentMs >= this.#patienceMs) throw new Error('not to be repeated');
    return new PatientToken(startedAtMs, token.getRetryCount() + 1);
  }

  recordSuccess(): void {
    // Nothing is counted across requests.
  }
}
