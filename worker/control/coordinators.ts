/** The coordinators that a worker may be led by, one at a time: tried in turn, with pauses that grow with each round in vain. */
import { limits } from '../../lib/limits.ts';
import { type Credentials, securityToCoordinator } from '../../lib/security/credentials.ts';
import type { WorkerControlClient } from '../../proto/gen/millrace/v1/WorkerControl.ts';
import { loadWorkerService } from '../../proto/load.ts';

const backoffMs = [50, 100, 200, 500, 1_000, 2_000];

/** Opens a connection to the coordinator at HOST:PORT at the first session. */
export type OpenClient = (
  address: string,
  credentials: Credentials,
) => Pick<WorkerControlClient, 'session' | 'close'>;

export function openGrpcClient(address: string, credentials: Credentials): WorkerControlClient {
  const Client = loadWorkerService();
  const security = securityToCoordinator(credentials, address);
  return new Client(address, security.credentials, {
    ...security.options,
    'grpc.enable_http_proxy': 0,
    'grpc.use_local_subchannel_pool': 1,
    'grpc.initial_reconnect_backoff_ms': 100,
    // A coordinator that stands still keeps its connections, while another one may have taken the lead.
    'grpc.keepalive_time_ms': 5_000,
    'grpc.keepalive_timeout_ms': 5_000,
    'grpc.max_reconnect_backoff_ms': 500,
    'grpc.max_receive_message_length': limits.grpcMessageBytesMax * 2,
  });
}

export class Coordinators {
  readonly #addresses: readonly string[];
  readonly #clients: readonly ReturnType<OpenClient>[];
  #current = 0;
  #failures = 0;

  /** HOST:PORT each, one at least. */
  constructor(addresses: readonly string[], open: (address: string) => ReturnType<OpenClient>) {
    this.#addresses = addresses;
    this.#clients = addresses.map(open);
  }

  get address(): string {
    return this.#addresses[this.#current]!;
  }

  get client(): ReturnType<OpenClient> {
    return this.#clients[this.#current]!;
  }

  /** For messages. */
  get all(): string {
    return this.#addresses.join(', ');
  }

  /** The current one leads. */
  succeeded(): void {
    this.#failures = 0;
  }

  /** Turns to the next one; gives how long to wait before it is tried. */
  failed(): number {
    const round = Math.floor(this.#failures++ / this.#addresses.length);
    this.#current = (this.#current + 1) % this.#addresses.length;
    return backoffMs[Math.min(round, backoffMs.length - 1)]!;
  }

  close(): void {
    for (const client of this.#clients) client.close();
  }
}
