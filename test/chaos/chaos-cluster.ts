/**
 * A cluster of real processes on a real MinIO in which every program reaches every other only through a proxy of ours: two coordinators and some
 * workers, each on a host of its own as far as it knows, supervised, and so started again when they end.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { ClusterView } from '../../lib/cluster-view.ts';
import { type Client, connect } from '../../sdk/client.ts';
import { Bucket } from '../e2e/bucket.ts';
import { runCli } from '../e2e/cli-process.ts';
import { FaultProxy } from '../faults/fault-proxy.ts';
import type { Minio } from '../minio/start-minio.ts';
import { Supervised } from '../process-supervisor.ts';
import { startOrDispose } from '../start-or-dispose.ts';
import { untilNone } from '../until.ts';
import { nodeNameVariable } from './connection-owner.ts';
import { Network } from './network.ts';
import { bytesUnder } from './resources.ts';

export interface ChaosOptions {
  readonly workers: number;
  /** Of each worker; default 1. */
  readonly slots?: number;
  /** `--lease` of the coordinators. */
  readonly leaseMs: number;
  /** `--heartbeat-timeout`: the lease of workers. */
  readonly heartbeatTimeoutMs: number;
  /** Workers fetch from each other without a proxy, and so at a new address after each start. */
  readonly direct?: boolean;
  /** All programs and the client show each other certificates. */
  readonly tls?: boolean;
}

/** Of a worker whose scratch folder holds nothing of any job. */
const idleScratchBytesMax = 64 * 1024;
/** The node that MinIO is. */
export const storeNode = 'store';
const preload = pathToFileURL(join(import.meta.dirname, 'host-name.mjs')).href;

export class ChaosCluster implements AsyncDisposable {
  readonly options: ChaosOptions;
  readonly folder = mkdtempSync(join(tmpdir(), 'millrace-chaos-'));
  readonly network = new Network();
  readonly coordinators: Supervised[] = [];
  readonly workers: Supervised[] = [];
  readonly bucket: Bucket;
  /** Between the network and MinIO, for faults of single requests. */
  readonly requests: FaultProxy;
  /** Workers that are to find their scratch folder empty at their next start. */
  readonly #withoutDisk = new Set<string>();
  readonly #minio: Minio;
  #client: Client | undefined;

  private constructor(options: ChaosOptions, minio: Minio, bucket: Bucket, requests: FaultProxy) {
    this.options = options;
    this.#minio = minio;
    this.bucket = bucket;
    this.requests = requests;
  }

  static async start(minio: Minio, options: ChaosOptions): Promise<ChaosCluster> {
    const requests = await FaultProxy.start(minio.endpoint);
    const cluster = new ChaosCluster(options, minio, await Bucket.make(minio), requests);
    return await startOrDispose(cluster, () => cluster.#start());
  }

  /** Through the proxies, as the node `client`. */
  get client(): Client {
    return this.#client!;
  }

  get programs(): readonly Supervised[] {
    return [...this.coordinators, ...this.workers];
  }

  /** Of all nodes but the client. */
  get nodes(): readonly string[] {
    return [...this.programs.map(({ name }) => name), storeNode];
  }

  /** Who leads by `leader.json`. */
  async leader(): Promise<Supervised> {
    const { grpc } = await this.bucket.json('cluster/leader.json');
    const leader = this.coordinators.find(({ listening }) => listening === grpc);
    if (!leader) throw new Error(`nobody listens at ${grpc}, where leader.json says that the leader is`);
    return leader;
  }

  /** Kills a worker; it starts again, on what it left on its disk or on an empty one. */
  killWorker(worker: Supervised, { withDisk }: { withDisk: boolean }): void {
    if (withDisk) this.#withoutDisk.add(worker.name);
    worker.signal('SIGKILL');
  }

  /** What lies in the scratch folders of all workers. */
  scratchBytes(): number {
    return this.workers.reduce((sum, { name }) => sum + bytesUnder(this.#scratchOf(name)), 0);
  }

  /** Resolves when all programs are up, all workers are there, nothing runs and nothing is left on their disks. Throws after `timeoutMs` with what is missing. */
  async untilAtRest(timeoutMs: number): Promise<void> {
    const missing = () => this.#missing().catch((error) => [`no answer of the leader: ${error}`]);
    await untilNone('the cluster is at rest', missing, timeoutMs);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client?.[Symbol.asyncDispose]();
    await Promise.all(this.programs.map((program) => program[Symbol.asyncDispose]()));
    await this.network[Symbol.asyncDispose]();
    await this.requests[Symbol.asyncDispose]();
    rmSync(this.folder, { recursive: true, force: true });
  }

  async #start(): Promise<void> {
    const { workers, leaseMs, heartbeatTimeoutMs, tls } = this.options;
    if (tls) await this.#makeCertificates();
    const endpoint = await this.network.expose(storeNode, () => new URL(this.requests.endpoint).host);
    const coordinators = ['coordinator-1', 'coordinator-2'];
    const addresses = await Promise.all(coordinators.map((name) => this.#expose(name, this.coordinators)));
    for (const name of coordinators) {
      const times = ['--lease', `${leaseMs}ms`, '--heartbeat-timeout', `${heartbeatTimeoutMs}ms`];
      const places = [
        '--listen',
        '127.0.0.1:0',
        '--http',
        '127.0.0.1:0',
        '--store',
        this.bucket.uri('cluster'),
      ];
      const args = () => ['coordinator', ...places, ...times, '--json'];
      this.coordinators.push(await Supervised.start({ name, args, env: () => this.#env(name, endpoint) }));
    }
    this.#client = connect({
      coordinator: addresses.join(','),
      tls: tls ? this.#certificateOf('client') : undefined,
    });
    const names = Array.from({ length: workers }, (_, i) => `worker-${i + 1}`);
    for (const name of names) await this.#startWorker(name, addresses, endpoint);
  }

  async #startWorker(name: string, coordinators: readonly string[], endpoint: string): Promise<void> {
    const dir = this.#scratchOf(name);
    const { direct = false, slots = 1 } = this.options;
    const advertised = direct ? [] : ['--advertise', await this.#expose(name, this.workers)];
    const args = () => {
      if (this.#withoutDisk.delete(name)) rmSync(dir, { recursive: true, force: true });
      const places = ['--coordinator', coordinators.join(','), '--listen', '127.0.0.1:0', ...advertised];
      return ['worker', ...places, '--slots', String(slots), '--dir', dir, '--json'];
    };
    this.workers.push(await Supervised.start({ name, args, env: () => this.#env(name, endpoint) }));
  }

  #scratchOf(worker: string): string {
    return join(this.folder, worker);
  }

  #expose(name: string, programs: readonly Supervised[]): Promise<string> {
    return this.network.expose(name, () => {
      const program = programs.find((each) => each.name === name);
      return program?.isUp ? program.listening : undefined;
    });
  }

  #env(name: string, endpoint: string): Record<string, string> {
    const s3 = this.#minio.env(`http://${endpoint}`);
    return { ...s3, ...this.#tlsEnv(name), [nodeNameVariable]: name, NODE_OPTIONS: `--import=${preload}` };
  }

  async #makeCertificates(): Promise<void> {
    const { code, stderr } = await runCli(['certs', this.#certificates]);
    if (code !== 0) throw new Error(`millrace certs failed: ${stderr}`);
  }

  get #certificates(): string {
    return join(this.folder, 'certificates');
  }

  #certificateOf(role: 'coordinator' | 'worker' | 'client') {
    const file = (name: string) => join(this.#certificates, `${name}.pem`);
    return { ca: file('ca'), cert: file(role), key: file(`${role}-key`) };
  }

  #tlsEnv(name: string): Record<string, string> {
    if (!this.options.tls) return {};
    const { ca, cert, key } = this.#certificateOf(name.startsWith('worker') ? 'worker' : 'coordinator');
    return { MILLRACE_TLS_CA: ca, MILLRACE_TLS_CERT: cert, MILLRACE_TLS_KEY: key };
  }

  async #missing(): Promise<string[]> {
    const missing = this.programs.filter(({ isUp }) => !isUp).map(({ name }) => `${name} is not up`);
    const scratchBytes = this.scratchBytes();
    if (scratchBytes > idleScratchBytesMax * this.workers.length)
      missing.push(`${scratchBytes} bytes are left in scratch folders`);
    return [...missing, ...unrest(await this.client.cluster(), this.workers.length)];
  }
}

function unrest({ workers, jobsActive, slotsUsed }: ClusterView, workersWanted: number): string[] {
  const ready = workers.filter(({ state }) => state === 'ready').length;
  return [
    ...(ready === workersWanted && workers.length === ready ? [] : [`${ready} of ${workersWanted} workers`]),
    ...(jobsActive === 0 ? [] : [`${jobsActive} jobs have not ended`]),
    ...(slotsUsed === 0 ? [] : [`${slotsUsed} slots are in use`]),
  ];
}
