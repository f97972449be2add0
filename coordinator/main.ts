/** A coordinator from its start to its end: binds its ports, leads or stands by, and leads when nobody else does. */
import { hostname } from 'node:os';
import { advertisedAddress } from '../lib/address.ts';
import { MillraceError } from '../lib/errors.ts';
import { warnOfFailpoints } from '../lib/failpoints.ts';
import { limits } from '../lib/limits.ts';
import { createStores } from '../lib/store/resolve.ts';
import type { OnS3Request } from '../lib/store/s3/s3-connection.ts';
import type { StoreLocation } from '../lib/store/store.ts';
import { softwareVersion } from '../lib/version.ts';
import { type CoordinatorConfig, type CoordinatorOptions, compileConfig } from './config.ts';
import type { HttpServer } from './http-server.ts';
import type { StoreJournal } from './journal.ts';
import { type Lead, type LeadPorts, startLead } from './lead.ts';
import { Leadership } from './leadership.ts';
import { type RpcServer, startRpcServer } from './rpc/server.ts';
import { standbyHandlers } from './rpc/standby-handlers.ts';

export interface RunningCoordinator extends AsyncDisposable {
  /** HOST:PORT of the gRPC port, as bound. */
  readonly address: string;
  readonly httpAddress: string | undefined;
  /** Undefined in a standby. */
  readonly epoch: number | undefined;
  /** Resolves when it leads: before the start does, unless another coordinator leads on its store. */
  readonly leads: Promise<void>;
  /** Rejects when the journal or the core fails, or another coordinator has taken the lead: it can then only be started anew. */
  readonly failed: Promise<never>;
  close(): Promise<void>;
}

/**
 * Resolves when the ports are bound, and it leads or stands by. Throws `permission-denied` for an address beyond loopback without
 * credentials, `unavailable` when it is taken, and for a store or a journal that it cannot lead on, naming `--store`.
 */
export async function startCoordinator(options: CoordinatorOptions): Promise<RunningCoordinator> {
  const config = compileConfig(options);
  warnOfFailpoints(config.log);
  // Loaded only where somebody can ask for them.
  const metrics = config.http && new (await import('./metrics/metrics.ts')).Metrics(softwareVersion());
  const counted = metrics && {
    onRequest: (...request: Parameters<OnS3Request>) => metrics.storeRequests.count(...request),
  };
  const stores = createStores(counted);
  const patientStores = createStores({ ...counted, patienceMs: limits.s3PatienceMs });
  const coordinator = new Coordinator(config, { stores, patientStores, metrics });
  try {
    await coordinator.start();
    return coordinator;
  } catch (error) {
    await coordinator.close();
    throw error;
  }
}

class Coordinator implements RunningCoordinator {
  readonly #config: CoordinatorConfig;
  readonly #ports: LeadPorts;
  readonly #location: StoreLocation;
  readonly #leadership: Leadership;
  #rpc: RpcServer | undefined;
  #http: HttpServer | undefined;
  #hasFailed = false;

  constructor(config: CoordinatorConfig, ports: LeadPorts) {
    this.#config = config;
    this.#ports = ports;
    this.#location = ports.stores.locate(config.storeUri);
    this.#leadership = new Leadership({
      ...config,
      location: this.#location,
      addresses: () => this.#addresses(),
      lead: (journal) => this.#lead(journal),
    });
    this.failed.catch(() => {
      this.#hasFailed = true;
      this.#rpc?.health.setServing(false);
    });
  }

  get address(): string {
    return this.#rpc?.address ?? '';
  }

  get httpAddress(): string | undefined {
    return this.#http?.address;
  }

  get epoch(): number | undefined {
    return this.#leadership.epoch;
  }

  get leads(): Promise<void> {
    return this.#leadership.leads;
  }

  get failed(): Promise<never> {
    return this.#leadership.failed;
  }

  /** The ports first: a start that fails must not have ended the lead of another one. */
  async start(): Promise<void> {
    const { http, log, storeUri } = this.#config;
    const probes = http !== undefined;
    this.#rpc = await startRpcServer(
      { ...this.#config, probes, onConnectionRefused: () => this.#ports.metrics?.refusedConnections.count() },
      standbyHandlers(() => this.#refusal()),
    );
    const { metrics } = this.#ports;
    if (http && metrics) {
      // Loaded only where somebody can ask: Node's HTTP server takes a while.
      const { serveHttp } = await import('./serve-http.ts');
      const view = () => (this.#hasFailed ? undefined : this.#leadership.lead?.view());
      this.#http = await serveHttp(http, { ...this.#config, location: this.#location, metrics, view });
    }
    if (await this.#leadership.start()) return;
    const leader = this.#leadership.leader?.grpc ?? null;
    log.info(
      { address: this.address, leader, store: storeUri },
      'the coordinator stands by: another one leads',
    );
  }

  async close(): Promise<void> {
    this.#leadership.stop();
    this.#rpc?.health.setServing(false);
    await this.#rpc?.[Symbol.asyncDispose]();
    await this.#http?.[Symbol.asyncDispose]();
    await this.#leadership.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #lead(journal: StoreJournal): Promise<Lead> {
    const { log, storeUri } = this.#config;
    const lead = await startLead(this.#config, this.#ports, journal);
    this.#rpc?.serve(lead.handlers);
    this.#rpc?.health.setServing(!this.#hasFailed);
    log.info({ address: this.address, epoch: journal.epoch, store: storeUri }, 'the coordinator is up');
    return lead;
  }

  #addresses() {
    const told = (address: string) => advertisedAddress(undefined, address, hostname());
    const http = this.httpAddress === undefined ? null : told(this.httpAddress);
    return { grpc: told(this.address), http };
  }

  #refusal(): MillraceError {
    const { leader } = this.#leadership;
    const where =
      leader && !leader.isOver ? `the one that leads is at ${leader.grpc}` : 'none leads just now';
    return new MillraceError('unavailable', `this coordinator is a standby; ${where}`);
  }
}
