/**
 * A cluster of real processes for tests: the built command line, every port free, every folder temporary. Waiting is
 * always for a state or a line of output, never for a time.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { JobView } from '../../lib/job-view.ts';
import { type Client, connect } from '../../sdk/client.ts';
import type { JobHandle } from '../../sdk/handle.ts';
import { startOrDispose } from '../start-or-dispose.ts';

const root = join(import.meta.dirname, '../..');
export const cliPath = join(root, 'dist/cli/main.js');

export interface Program {
  readonly process: ChildProcess;
  /** What it printed on stderr so far. */
  readonly stderr: () => string;
  /** HOST:PORT from its `{"listening": …}` line. */
  readonly listening: string;
}

export interface ClusterOptions {
  readonly workers: number;
  readonly slots?: number;
  readonly heartbeatTimeout?: string;
  /** Of the coordinators; default: theirs. */
  readonly lease?: string;
  /** Whether a second coordinator stands by. */
  readonly standby?: boolean;
  /** Default: a folder of its own. */
  readonly store?: string;
  /** Environment of all programs, beside the test's own; credentials of a store, for one. */
  readonly env?: Readonly<Record<string, string>>;
  /** Flags of worker number i. */
  readonly workerFlags?: (i: number) => string[];
  /** Environment of worker number i, beside the test's own. */
  readonly workerEnv?: (i: number) => Record<string, string>;
}

export class Cluster implements AsyncDisposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'millrace-e2e-'));
  readonly workers: Program[] = [];
  readonly #options: ClusterOptions;
  readonly #programs: Program[] = [];
  #coordinator: Program | undefined;
  #standby: Program | undefined;
  #client: Client | undefined;
  #stopped = false;

  private constructor(options: ClusterOptions) {
    this.#options = options;
  }

  static async start(options: ClusterOptions): Promise<Cluster> {
    const cluster = new Cluster(options);
    return await startOrDispose(cluster, async () => {
      mkdirSync(join(cluster.folder, 'store'));
      cluster.#coordinator = await cluster.startCoordinator();
      if (options.standby) cluster.#standby = await cluster.startCoordinator();
      cluster.#client = connect({ coordinator: cluster.addresses });
      for (let i = 0; i < options.workers; i++) cluster.workers.push(await cluster.startWorker(i));
    });
  }

  get coordinator(): Program {
    return this.#coordinator!;
  }

  get address(): string {
    return this.coordinator.listening;
  }

  get standby(): Program {
    return this.#standby!;
  }

  /** What clients and workers are told. */
  get addresses(): string {
    return this.#standby ? `${this.address},${this.standby.listening}` : this.address;
  }

  get client(): Client {
    return this.#client!;
  }

  coordinatorLog(): string {
    return this.coordinator.stderr();
  }

  /** One on this cluster's store; not one that the cluster counts as its own. */
  async startCoordinator(listen = '127.0.0.1:0'): Promise<Program> {
    const { store = `file://${join(this.folder, 'store')}`, heartbeatTimeout = '10s', lease } = this.#options;
    return this.#spawn([
      'coordinator',
      ...['--listen', listen, '--http', '127.0.0.1:0', '--store', store],
      ...['--heartbeat-timeout', heartbeatTimeout, ...(lease ? ['--lease', lease] : []), '--json'],
    ]);
  }

  /** Kills the coordinator and starts another one at its address. */
  async replaceCoordinator(): Promise<void> {
    await end(this.coordinator.process);
    this.#coordinator = await this.startCoordinator(this.address);
  }

  /** Kills everything at once, and starts it again on the same folders. */
  async replaceAll(): Promise<void> {
    await Promise.all([this.coordinator, ...this.workers].map(({ process: child }) => end(child)));
    this.#coordinator = await this.startCoordinator(this.address);
    for (const i of this.workers.keys()) this.workers[i] = await this.startWorker(i);
  }

  /** Starts worker number i; again after it died, in the same scratch folder. */
  async startWorker(i: number): Promise<Program> {
    return this.#spawn(
      [
        'worker',
        ...['--coordinator', this.addresses, '--listen', '127.0.0.1:0', '--json'],
        ...['--slots', String(this.#options.slots ?? 1), '--dir', join(this.folder, `scratch-${i}`)],
        ...(this.#options.workerFlags?.(i) ?? []),
      ],
      this.#options.workerEnv?.(i),
    );
  }

  /** As when the machine of worker number i is gone. */
  async loseWorkerWithDisk(i: number): Promise<void> {
    await end(this.workers[i]!.process);
    rmSync(join(this.folder, `scratch-${i}`), { recursive: true });
  }

  /** Restarts worker i whenever it exits, until the cluster stops. */
  keepRestarting(i: number): void {
    this.workers[i]!.process.once('exit', async () => {
      if (this.#stopped) return;
      try {
        this.workers[i] = await this.startWorker(i);
        this.keepRestarting(i);
      } catch (error) {
        if (!this.#stopped) throw error;
      }
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped = true;
    await this.#client?.[Symbol.asyncDispose]();
    await Promise.all(this.#programs.map(({ process: child }) => end(child)));
    rmSync(this.folder, { recursive: true, force: true });
  }

  async #spawn(args: string[], env: Record<string, string> = {}): Promise<Program> {
    const child = spawn(process.execPath, [cliPath, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...this.#options.env, ...env },
    });
    let text = '';
    child.stderr.on('data', (chunk) => {
      text += chunk;
    });
    const program = { process: child, stderr: () => text, listening: '' };
    this.#programs.push(program);
    // A test that times out never gets to dispose of its cluster.
    const kill = () => child.kill('SIGKILL');
    process.once('exit', kill);
    child.once('exit', () => process.removeListener('exit', kill));
    const lines = createInterface({ input: child.stdout });
    const exited = once(child, 'exit').then(([code]) => {
      throw new Error(`millrace ${args.join(' ')} exited with ${code}:\n${text}`);
    });
    exited.catch(() => undefined);
    for (;;) {
      const [line] = (await Promise.race([once(lines, 'line'), exited])) as [string];
      const json = JSON.parse(line) as { listening?: string };
      if (json.listening) return Object.assign(program, { listening: json.listening });
    }
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}

/** Resolves with the first view that is as wanted; throws when the job ends without one. */
export async function waitFor(
  handle: JobHandle<unknown>,
  wanted: (view: JobView) => boolean,
): Promise<JobView> {
  let last: JobView | undefined;
  for await (const view of handle.watch()) {
    if (wanted(view)) return view;
    last = view;
  }
  throw new Error(`the job ended without it: ${JSON.stringify(last, null, 1)}`);
}

/** The bytes of every `part-*` of an output folder, by name. */
export function readParts(folder: string): Record<string, string> {
  const names = readdirSync(folder).filter((name) => name.startsWith('part-'));
  return Object.fromEntries(names.sort().map((name) => [name, readFileSync(join(folder, name), 'latin1')]));
}
