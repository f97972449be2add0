/** A coordinator from its start to its end: binds its ports, leads or stands by, and leads when nobody else does. */
import { hostname } from 'node:os';
import { advertisedAddress } from '../lib/address.ts';
import { MillraceError } from '../lib/errors.ts';
import { limits } from '../lib/limits.ts';
import { createStores } from '../lib/store/resolve.ts';
import type { OnS3Request } from '../lib/store/s3/s3-connection.ts';
import type { StoreLocation } from '../lib/store/store.ts';
import { softwareVersion } from '../lib/version.ts';
import { Candidate } from './candidate.ts';
import { type CoordinatorConfig, type CoordinatorOptions, compileConfig } from './config.ts';
import type { HttpServer } from './http-server.ts';
import type { StoreJournal } from './journal.ts';
import { type Lead, type LeadPorts, startLead } from './lead.ts';
import { LeadKeeper } from './lead-keeper.ts';
import { type RpcServer, startRpcServer } from './rpc/server.ts';
import { standbyHandlers } from './rpc/standby-handlers.ts';
import { serveHttp } from './serve-http.ts';

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
  readonly #candidate: Candidate;
  readonly #leads = Promise.withResolvers<void>();
  readonly #failed = Promise.withResolvers<never>();
  #rpc: RpcServer | undefined;
  #http: HttpServer | undefined;
  #keeper: LeadKeeper | undefined;
  #lead: Lead | undefined;
  #epoch: number | undefined;
  #hasFailed = false;
  #isClosed = false;

  constructor(config: CoordinatorConfig, ports: LeadPorts) {
    this.#config = config;
    this.#ports = ports;
    this.#location = ports.stores.locate(config.storeUri);
    this.#candidate = new Candidate({ ...config, location: this.#location });
    this.#failed.promise.catch(() => {
      this.#hasFailed = true;
      this.#keeper?.stop();
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
    return this.#epoch;
  }

  get leads(): Promise<void> {
    return this.#leads.promise;
  }

  get failed(): Promise<never> {
    return this.#failed.promise;
  }

  /** The ports first: a start that fails must not have ended the lead of another one. */
  async start(): Promise<void> {
    const { http } = this.#config;
    const probes = http !== undefined;
    this.#rpc = await startRpcServer(
      { ...this.#config, probes },
      standbyHandlers(() => this.#refusal()),
    );
    const { metrics } = this.#ports;
    if (http && metrics) {
      const view = () => (this.#hasFailed ? undefined : this.#lead?.view());
      this.#http = await serveHttp(http, { ...this.#config, location: this.#location, metrics, view });
    }
    const journal = await this.#candidate.tryNow();
    if (journal) return await this.#takeOver(journal);
    const { log, storeUri } = this.#config;
    const leader = this.#candidate.leader?.grpc ?? null;
    log.info(
      { address: this.address, leader, store: storeUri },
      'the coordinator stands by: another one leads',
    );
    this.#standBy().catch(this.#failed.reject);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#candidate.stop();
    this.#rpc?.health.setServing(false);
    await this.#rpc?.[Symbol.asyncDispose]();
    await this.#http?.[Symbol.asyncDispose]();
    await this.#lead?.close();
    await this.#keeper?.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #standBy(): Promise<void> {
    const journal = await this.#candidate.untilLeading();
    if (!this.#isClosed) await this.#takeOver(journal);
  }

  async #takeOver(journal: StoreJournal): Promise<void> {
    const { log, storeUri } = this.#config;
    const { epoch } = journal;
    this.#epoch = epoch;
    this.#keeper = this.#keeperOf(journal);
    await this.#keeper.start();
    const lead = await startLead(this.#config, this.#ports, journal);
    this.#lead = lead;
    lead.failed.catch(this.#failed.reject);
    this.#rpc?.serve(lead.handlers);
    this.#rpc?.health.setServing(!this.#hasFailed);
    log.info({ address: this.address, epoch, store: storeUri }, 'the coordinator is up');
    this.#leads.resolve();
  }

  #keeperOf({ epoch, nonce }: StoreJournal): LeadKeeper {
    const told = (address: string) => advertisedAddress(undefined, address, hostname());
    const http = this.httpAddress === undefined ? null : told(this.httpAddress);
    return new LeadKeeper({
      ...this.#config,
      location: this.#location,
      lead: { epoch, nonce, grpc: told(this.address), http },
      onDeposed: (error) => {
        this.#lead?.stop(error);
        this.#failed.reject(error);
      },
    });
  }

  #refusal(): MillraceError {
    const leader = this.#candidate.leader;
    const where =
      leader && !leader.isOver ? `the one that leads is at ${leader.grpc}` : 'none leads just now';
    return new MillraceError('unavailable', `this coordinator is a standby; ${where}`);
  }
}
