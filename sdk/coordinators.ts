/** The coordinators of one cluster, as a client calls them: one leads, the others stand by and say so. Which one is found by asking. */
import type { ClientReadableStream, ClientUnaryCall } from '@grpc/grpc-js';
import { MillraceError } from '../lib/errors.ts';
import { limits } from '../lib/limits.ts';
import { type Credentials, securityToCoordinator } from '../lib/security/credentials.ts';
import type { ClientClient } from '../proto/gen/millrace/v1/Client.ts';
import type { DoctorClient } from '../proto/gen/millrace/v1/Doctor.ts';
import type { OperatorClient } from '../proto/gen/millrace/v1/Operator.ts';
import { loadClientService, loadDoctorService, loadOperatorService } from '../proto/load.ts';
import { callOnce, iterateCall, pause, type Reply } from './rpc.ts';
import { isSaid } from './rpc-error.ts';

export interface Services {
  readonly client: ClientClient;
  readonly doctor: DoctorClient;
  readonly operator: OperatorClient;
}

/** Makes one call; `done` gets its answer. */
export type StartCall<T> = (services: Services, done: Reply<T>) => Pick<ClientUnaryCall, 'cancel'>;

/** A submission waits so long for a coordinator that leads: a standby may have to see a whole lease go by first. */
const leadTimeoutMs = 30_000;
/** One that stands still may not keep a submission from the others. */
const lookTimeoutMs = 3_000;
const lookAgainMs = 300;

export class Coordinators {
  readonly #addresses: readonly string[];
  readonly #services: readonly Services[];
  #current = 0;
  #hasAnswered = false;

  /** HOST:PORT each, one at least. */
  constructor(addresses: readonly string[], shown: Credentials) {
    this.#addresses = addresses;
    this.#services = addresses.map((address) => openServices(address, shown));
  }

  /** The one that is asked first: that answered last. */
  get address(): string {
    return this.#addresses[this.#current]!;
  }

  /** Whether any of them said anything yet, be it that it stands by: at least one address is right. */
  get hasAnswered(): boolean {
    return this.#hasAnswered;
  }

  /** One answer, of the first that gives one. For calls that may be made twice. */
  async ask<T>(start: StartCall<T>, signal: AbortSignal | undefined): Promise<T> {
    const reasons = new Set<string>();
    for (let tried = 0; tried < this.#addresses.length; tried++) {
      try {
        return await this.#askCurrent(start, signal);
      } catch (thrown) {
        const error = MillraceError.from(thrown);
        if (this.#addresses.length === 1 || !mayAnotherKnow(error)) throw error;
        reasons.add(error.message);
      }
    }
    const all = this.#addresses.join(', ');
    throw new MillraceError(
      'unavailable',
      `none of the coordinators ${all} leads: ${[...reasons].join('; ')}`,
    );
  }

  /** One answer to a call that must not be made twice: of the one that leads, which is looked for before. */
  async askLeader<T>(start: StartCall<T>, signal: AbortSignal | undefined): Promise<T> {
    if (this.#addresses.length > 1) await this.#findLeader(signal);
    return this.#askCurrent(start, signal);
  }

  /** The messages of one stream. While none has come yet, the next coordinator may be the one that leads. */
  async *iterate<T>(
    open: (services: Services) => ClientReadableStream<T>,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<T, void, void> {
    for (let tried = 1; ; tried++) {
      const at = this.#current;
      let seen = false;
      try {
        for await (const message of iterateCall(open(this.#services[at]!), this.#addresses[at]!, signal)) {
          seen = true;
          this.#hasAnswered = true;
          yield message;
        }
        return;
      } catch (thrown) {
        const error = this.#leaveAt(at, thrown);
        if (seen || tried >= this.#addresses.length || !mayAnotherKnow(error)) throw error;
      }
    }
  }

  close(): void {
    for (const { client } of this.#services) client.close();
  }

  async #findLeader(signal: AbortSignal | undefined): Promise<void> {
    const giveUpMs = performance.now() + leadTimeoutMs;
    for (;;) {
      try {
        await this.ask(
          ({ client }, done) => client.list({ limit: 1 }, { deadline: Date.now() + lookTimeoutMs }, done),
          signal,
        );
        return;
      } catch (thrown) {
        const error = MillraceError.from(thrown);
        if (!mayAnotherKnow(error) || !this.#hasAnswered || performance.now() > giveUpMs) throw error;
      }
      await pause(lookAgainMs, signal);
    }
  }

  async #askCurrent<T>(start: StartCall<T>, signal: AbortSignal | undefined): Promise<T> {
    const at = this.#current;
    try {
      const call = (done: Reply<T>) => start(this.#services[at]!, done);
      const answer = await callOnce<T>(call, this.#addresses[at]!, signal);
      this.#hasAnswered = true;
      return answer;
    } catch (thrown) {
      throw this.#leaveAt(at, thrown);
    }
  }

  /** Calls that fail together turn to the next one once. */
  #leaveAt(at: number, thrown: unknown): MillraceError {
    const error = MillraceError.from(thrown);
    if (isSaid(error)) this.#hasAnswered = true;
    if (mayAnotherKnow(error) && this.#current === at) this.#current = (at + 1) % this.#addresses.length;
    return error;
  }
}

/** Nobody is there, it stands by, or it hangs. */
function mayAnotherKnow({ code }: MillraceError): boolean {
  return code === 'unavailable' || code === 'timeout';
}

/** One connection for all services. */
function openServices(address: string, shown: Credentials): Services {
  const { credentials, options } = securityToCoordinator(shown, address);
  const client = new (loadClientService())(address, credentials, {
    ...options,
    'grpc.max_receive_message_length': 4 * limits.grpcMessageBytesMax,
    'grpc.enable_http_proxy': 0,
    'grpc.initial_reconnect_backoff_ms': 200,
    'grpc.max_reconnect_backoff_ms': 2_000,
    // One that stands still keeps its connections, while another one may have taken the lead.
    'grpc.keepalive_time_ms': 10_000,
    'grpc.keepalive_timeout_ms': 10_000,
    'grpc.use_local_subchannel_pool': 1,
  });
  const shared = { ...options, channelOverride: client.getChannel() };
  return {
    client,
    doctor: new (loadDoctorService())(address, credentials, shared),
    operator: new (loadOperatorService())(address, credentials, shared),
  };
}
