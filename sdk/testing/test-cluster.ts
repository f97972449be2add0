/** A cluster in this process for tests: the real coordinator and real workers over loopback, every port free. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RunningCoordinator } from '../../coordinator/main.ts';
import { MillraceError } from '../../lib/errors.ts';
import { noCredentials } from '../../lib/security/credentials.ts';
import { fileUri } from '../../lib/store/uri.ts';
import { parseDurationMs } from '../../lib/units.ts';
import type { RunningWorker } from '../../worker/main.ts';
import { type Client, connectWith } from '../client.ts';

export interface TestClusterOptions {
  /** Default 2. */
  readonly workers?: number;
  /** Per worker; default 1. */
  readonly slots?: number;
  /** After which a silent worker is dead: `2s`; default 10s. */
  readonly heartbeatTimeout?: string;
}

export interface TestCluster extends AsyncDisposable {
  readonly client: Client;
  /** HOST:PORT of the coordinator, for clients and workers in other processes. */
  readonly address: string;
  /** Ids of the workers that live. */
  readonly workers: readonly string[];
  addWorker(): Promise<string>;
  /** Without a goodbye, as when its machine loses power; the coordinator finds out by its heartbeat timeout. */
  kill(workerId: string): Promise<void>;
}

/** Starts a coordinator and workers; `await using` stops them and removes their folders. */
export async function createTestCluster(options: TestClusterOptions = {}): Promise<TestCluster> {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-test-'));
  const { startCoordinator } = await import('../../coordinator/main.ts');
  const coordinator = await startCoordinator({
    listen: '127.0.0.1:0',
    storeUri: fileUri(`${folder}/store/`),
    checkInvariants: true,
    ...(options.heartbeatTimeout !== undefined && {
      heartbeatTimeoutMs: parseDurationMs(options.heartbeatTimeout, 'heartbeatTimeout'),
    }),
  });
  const cluster = new InProcessCluster(coordinator, folder, options.slots ?? 1);
  try {
    for (let i = 0; i < (options.workers ?? 2); i++) await cluster.addWorker();
    return cluster;
  } catch (error) {
    await cluster[Symbol.asyncDispose]();
    throw error;
  }
}

class InProcessCluster implements TestCluster {
  readonly client: Client;
  readonly address: string;
  readonly #coordinator: RunningCoordinator;
  readonly #folder: string;
  readonly #slots: number;
  readonly #workers = new Map<string, RunningWorker>();
  #started = 0;

  constructor(coordinator: RunningCoordinator, folder: string, slots: number) {
    this.#coordinator = coordinator;
    this.#folder = folder;
    this.#slots = slots;
    this.address = coordinator.address;
    this.client = connectWith(noCredentials, this.address);
  }

  get workers(): readonly string[] {
    return [...this.#workers.keys()];
  }

  async addWorker(): Promise<string> {
    const { startWorker } = await import('../../worker/main.ts');
    const scratchDir = join(this.#folder, `scratch-${this.#started++}`);
    const worker = await startWorker({ coordinator: this.address, slots: this.#slots, scratchDir });
    this.#workers.set(worker.workerId, worker);
    return worker.workerId;
  }

  async kill(workerId: string): Promise<void> {
    const worker = this.#workers.get(workerId);
    if (!worker) throw new MillraceError('not-found', `there is no worker ${workerId} in this test cluster`);
    this.#workers.delete(workerId);
    await worker.kill();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.client.close();
    for (const worker of this.#workers.values()) await worker.close();
    await this.#coordinator.close();
    await rm(this.#folder, { recursive: true, force: true });
  }
}
