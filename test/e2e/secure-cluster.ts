/** A coordinator and two workers as processes with credentials, and commands run against them. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startOrDispose } from '../start-or-dispose.ts';
import { type Ended, type Running, runCli, startCli } from './cli-process.ts';

export type Environment = Readonly<Record<string, string>>;

export interface SecureClusterOptions {
  readonly coordinator: Environment;
  readonly worker: Environment;
  readonly client: Environment;
  /** Whether a second coordinator stands by; the lease is a second then. */
  readonly standby?: boolean;
}

interface Listening {
  readonly listening: string;
  readonly http?: string;
}

export class SecureCluster implements AsyncDisposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'millrace-secure-'));
  address = '';
  httpAddress = '';
  readonly #options: SecureClusterOptions;
  readonly #servers: Running[] = [];
  readonly #said: string[] = [];

  private constructor(options: SecureClusterOptions) {
    this.#options = options;
  }

  static async start(options: SecureClusterOptions): Promise<SecureCluster> {
    const cluster = new SecureCluster(options);
    return await startOrDispose(cluster, () => cluster.#start());
  }

  async #start(): Promise<void> {
    mkdirSync(join(this.folder, 'store'));
    const { coordinator, standby } = this.#options;
    const args = ['coordinator', '--store', join(this.folder, 'store')];
    args.push('--listen', '127.0.0.1:0', '--http', '127.0.0.1:0', ...(standby ? ['--lease', '1s'] : []));
    const { listening, http } = await this.#serve(args, coordinator);
    const second = standby && (await this.#serve(args, coordinator)).listening;
    this.address = second ? `${listening},${second}` : listening;
    this.httpAddress = http ?? '';
    await Promise.all([0, 1].map((i) => this.#serve(this.workerArgs(i), this.#options.worker)));
  }

  /** The coordinator that was started first. */
  killLeader(): void {
    this.#servers[0]?.child.kill('SIGKILL');
  }

  workerArgs(i: number): string[] {
    return [
      ...['worker', '--coordinator', this.address, '--listen', '127.0.0.1:0', '--advertise', '127.0.0.1'],
      ...['--slots', '1', '--dir', join(this.folder, `scratch-${i}`)],
    ];
  }

  async #serve(args: readonly string[], env: Environment): Promise<Listening> {
    const server = startCli([...args, '--json'], { env });
    this.#servers.push(server);
    return JSON.parse(await server.firstLine) as Listening;
  }

  /** Runs to its end; as a client of the cluster unless `env` says otherwise. */
  async run(args: readonly string[], env: Environment = this.#options.client): Promise<Ended> {
    const ended = await runCli(args, { env: { ...env, MILLRACE_COORDINATOR: this.address } });
    this.#said.push(ended.stdout, ended.stderr);
    return ended;
  }

  /** Ends all of it; resolves with everything that any process printed. */
  async stop(): Promise<string> {
    for (const { child } of this.#servers.toReversed()) child.kill('SIGTERM');
    const ended = await Promise.all(this.#servers.splice(0).map((server) => server.ended));
    return [...this.#said, ...ended.flatMap(({ stdout, stderr }) => [stdout, stderr])].join('\n');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
