/**
 * A cluster whose programs may die at any failpoint: two coordinators and three workers of the built command line, each started again when it ends,
 * on a bucket or a folder. It is used for many cells, as long as it is whole again after each.
 */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ArmedFailpoint, type FiredFailpoint, formatArmed } from '../../lib/failpoints.ts';
import { type Client, connect } from '../../sdk/client.ts';
import { Bucket } from '../e2e/bucket.ts';
import type { Minio } from '../minio/start-minio.ts';
import { Supervised } from '../process-supervisor.ts';
import { startOrDispose } from '../start-or-dispose.ts';
import { until } from '../until.ts';
import { filesBelow } from './files-below.ts';
import { bucketPlace, folderPlace, type Place } from './places.ts';

const workers = 3;
/** Short, because three of them go by in every cell in which something stands still. */
export const leaseMs = 1_000;
export const heartbeatTimeoutMs = 1_500;

export class MatrixCluster implements AsyncDisposable {
  readonly place: Place;
  /** For the command line: its credentials. */
  readonly env: Readonly<Record<string, string>>;
  readonly #folder: string;
  readonly #programs: Supervised[] = [];
  #client: Client | undefined;

  private constructor(place: Place, folder: string, env: Readonly<Record<string, string>>) {
    this.place = place;
    this.#folder = folder;
    this.env = env;
    mkdirSync(this.#failpoints);
  }

  static async start(kind: 'bucket' | 'folder', minio: Minio): Promise<MatrixCluster> {
    const folder = mkdtempSync(join(tmpdir(), 'millrace-crash-'));
    const place =
      kind === 'bucket' ? bucketPlace(await Bucket.make(minio)) : folderPlace(join(folder, 'store'));
    const cluster = new MatrixCluster(place, folder, minio.env());
    return await startOrDispose(cluster, () => cluster.#startAll());
  }

  get client(): Client {
    return this.#client!;
  }

  /** Of both coordinators. */
  get addresses(): string {
    return this.#programs
      .slice(0, 2)
      .map(({ listening }) => listening)
      .join(',');
  }

  /** What all programs logged, for a cell that failed. */
  get logs(): string {
    return this.#programs.map(({ name, log }) => `=== ${name}\n${log}`).join('\n');
  }

  arm(armed: ArmedFailpoint): void {
    const path = join(this.#failpoints, 'armed');
    writeFileSync(`${path}.tmp`, formatArmed(armed));
    renameSync(`${path}.tmp`, path);
  }

  disarm(): void {
    rmSync(join(this.#failpoints, 'armed'), { force: true });
  }

  /** Undefined while nobody got there. */
  fired(id: string): FiredFailpoint | undefined {
    const path = join(this.#failpoints, `fired-${id}`);
    const text = existsSync(path) ? readFileSync(path, 'utf8') : '';
    return text.endsWith('\n') ? (JSON.parse(text) as FiredFailpoint) : undefined;
  }

  /** The coordinator that leads dies. */
  async killLeader(): Promise<void> {
    const leader = await until('a coordinator leads', async () => {
      const { pid } = JSON.parse(await this.place.text('leader.json')) as { pid: number };
      return this.#programs.find((one) => one.pid === pid);
    });
    leader.signal('SIGKILL');
  }

  /** A worker dies that has the output of a map on its disk: its next life finds it there. Nothing happens when `hasEnded` before. */
  async killWorkerWithOutput(hasEnded: () => boolean): Promise<void> {
    const hasOutput = (i: number) => this.#scratchFiles(i).some((path) => path.endsWith('output.run'));
    await until('a worker with a map output is killed', () => {
      for (const [i, worker] of this.#workers.entries()) {
        // Looked at again while it stands still, or it might be removing what was seen.
        if (!hasOutput(i) || !worker.isUp) continue;
        worker.signal('SIGSTOP');
        const isFound = hasOutput(i);
        worker.signal(isFound ? 'SIGKILL' : 'SIGCONT');
        if (isFound) return true;
      }
      return hasEnded();
    });
  }

  /** All of them, on the folders they have. */
  async restartWorkers(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.restart()));
    await this.untilQuiet();
  }

  /** An operator asks one worker to leave. Nothing happens when `hasEnded` before. */
  async drainWorker(hasEnded: () => boolean): Promise<void> {
    await until('a coordinator is told to drain a worker', async () => {
      if (hasEnded()) return true;
      const [worker] = await this.client.workers().catch(() => []);
      const draining = worker && this.client.drain(worker.workerId);
      return await draining?.then(
        () => true,
        () => false,
      );
    });
  }

  /** Every program is there, one coordinator leads, all workers have joined it, and no job is active. Throws when that takes too long. */
  async untilQuiet(): Promise<void> {
    await until('the cluster is whole and at rest', async () => {
      if (this.#programs.some(({ isUp }) => !isUp)) return false;
      const view = await this.client.cluster().catch(() => undefined);
      if (view?.jobsActive !== 0 || view.workers.length !== workers) return false;
      const pids = new Set(this.#workers.map(({ pid }) => pid));
      return view.workers.every(({ state, pid }) => pids.has(pid) && !/disconnected|draining/.test(state));
    });
  }

  /** Files of jobs that lie in the scratch folders of workers. */
  leftOnDisks(): string[] {
    return this.#workers
      .flatMap((_, i) => this.#scratchFiles(i))
      .filter((path) => !path.endsWith('owner.json'));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client?.[Symbol.asyncDispose]();
    await Promise.all(this.#programs.map((program) => program[Symbol.asyncDispose]()));
    rmSync(this.#folder, { recursive: true, force: true });
  }

  get #failpoints(): string {
    return join(this.#folder, 'failpoints');
  }

  get #workers(): Supervised[] {
    return this.#programs.slice(2);
  }

  #scratchFiles(worker: number): string[] {
    return filesBelow(join(this.#folder, `scratch-${worker}`));
  }

  async #startAll(): Promise<void> {
    for (const name of ['coordinator-a', 'coordinator-b']) await this.#startCoordinator(name);
    this.#client = connect({ coordinator: this.addresses });
    await Promise.all(Array.from({ length: workers }, (_, i) => this.#startWorker(i)));
    await this.untilQuiet();
  }

  async #startCoordinator(name: string): Promise<void> {
    await this.#start(name, (listening = '127.0.0.1:0') => [
      ...['coordinator', '--listen', listening, '--http', '127.0.0.1:0', '--store', this.place.uri('')],
      ...['--heartbeat-timeout', `${heartbeatTimeoutMs}ms`, '--lease', `${leaseMs}ms`, '--json'],
    ]);
  }

  async #startWorker(i: number): Promise<void> {
    await this.#start(`worker-${i}`, () => [
      ...['worker', '--coordinator', this.addresses, '--slots', '1'],
      ...['--dir', join(this.#folder, `scratch-${i}`), '--json'],
    ]);
  }

  async #start(name: string, args: (listening?: string) => readonly string[]): Promise<void> {
    const env = () => ({ ...this.env, MILLRACE_FAILPOINTS: this.#failpoints });
    this.#programs.push(await Supervised.start({ name, args, env }));
  }
}
