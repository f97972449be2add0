/** A real coordinator and a real worker in this process, one finished job, and a picture of all their state to compare. */
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { vi } from 'vitest';
import { type RunningCoordinator, startCoordinator } from '../../coordinator/main.ts';
import type { CredentialOptions } from '../../lib/security/credentials.ts';
import type { GuardOptions } from '../../lib/security/guard.ts';
import { type Client, connect } from '../../sdk/client.ts';
import { type RunningWorker, startWorker } from '../../worker/main.ts';

export const clientToken = 'client-token-of-the-tests';
export const workerToken = 'worker-token-of-the-tests';
const jobFile = join(import.meta.dirname, '../e2e/jobs/sleepers.ts');

export interface TargetOptions {
  readonly guard: GuardOptions;
  readonly worker: CredentialOptions;
  readonly client: CredentialOptions;
}

export class Target implements AsyncDisposable {
  readonly coordinator: RunningCoordinator;
  readonly worker: RunningWorker;
  readonly client: Client;
  readonly folder: string;

  private constructor(
    folder: string,
    coordinator: RunningCoordinator,
    worker: RunningWorker,
    client: Client,
  ) {
    this.folder = folder;
    this.coordinator = coordinator;
    this.worker = worker;
    this.client = client;
  }

  static startWithTokens(): Promise<Target> {
    return Target.start({
      guard: { clientToken, workerToken },
      worker: { token: workerToken },
      client: { token: clientToken },
    });
  }

  /** Jobs may name what lies in `data/` of its folder. */
  static async start(options: TargetOptions): Promise<Target> {
    const folder = mkdtempSync(join(tmpdir(), 'millrace-refusals-'));
    mkdirSync(join(folder, 'data'));
    writeFileSync(join(folder, 'data/in.txt'), '1\n2\n');
    const coordinator = await startCoordinator({
      listen: '127.0.0.1:0',
      http: '127.0.0.1:0',
      storeUri: `file://${folder}/store/`,
      security: options.guard,
      allow: [`file://${folder}/data/`],
      checkInvariants: true,
      // So that nothing is written while nothing happens.
      leaseMs: 3_600_000,
    });
    const worker = await startWorker({
      coordinator: coordinator.address,
      credentials: options.worker,
      scratchDir: join(folder, 'scratch'),
      slots: 1,
    });
    await worker.joined;
    const { token, tls } = options.client;
    const client = connect({ coordinator: coordinator.address, token: token ?? clientToken, tls: tls ?? {} });
    const target = new Target(folder, coordinator, worker, client);
    await (await target.submit('out')).wait();
    await target.#settled();
    return target;
  }

  /** The end of a job is seen before its last files are written whole and its map outputs are removed. */
  async #settled(): Promise<void> {
    await vi.waitUntil(() => {
      const paths = pathsIn(this.folder);
      const passing = paths.some((path) => path.endsWith('.run') || path.includes('.millrace-put-'));
      return !passing && paths.some((path) => path.endsWith('/outcome.json'));
    });
  }

  submit(output: string) {
    const [input, out] = [join(this.folder, 'data/in.txt'), join(this.folder, 'data', output)];
    return this.client.submit(jobFile, { input, output: out, maps: 2 });
  }

  /** Jobs, workers and files, as text. What a refused call must not change. */
  async picture(): Promise<string> {
    const { workers } = await this.client.cluster();
    return JSON.stringify(
      {
        jobs: await this.client.list(),
        workers: workers.map(({ workerId, state, slotsUsed, attempts, mapOutputs }) => ({
          ...{ workerId, state, slotsUsed, attempts, mapOutputs },
        })),
        files: filesOf(this.folder),
      },
      null,
      1,
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.client.close();
    await this.worker.close();
    await this.coordinator.close();
    rmSync(this.folder, { recursive: true });
  }
}

function pathsIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort();
}

function filesOf(folder: string): Record<string, string> {
  return Object.fromEntries(
    pathsIn(folder).map((path) => {
      const full = join(folder, path);
      const digest = createHash('sha256');
      return [path, statSync(full).isFile() ? digest.update(readFileSync(full)).digest('hex') : 'folder'];
    }),
  );
}
