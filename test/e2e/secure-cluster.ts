/** A coordinator and two workers as processes with credentials, and commands run against them. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Ended, type Running, runCli, startCli } from './cli-process.ts';

export type Environment = Readonly<Record<string, string>>;

export interface SecureClusterOptions {
  readonly coordinator: Environment;
  readonly worker: Environment;
  readonly client: Environment;
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
    try {
      await cluster.#start();
      return cluster;
    } catch (error) {
      await cluster[Symbol.asyncDispose]();
      throw error;
    }
  }

  async #start(): Promise<void> {
    mkdirSync(join(this.folder, 'store'));
    const { listening, http } = await this.#serve(
      [
        'coordinator',
        '--listen',
        '127.0.0.1:0',
        '--http',
        '127.0.0.1:0',
        '--store',
        join(this.folder, 'store'),
      ],
      this.#options.coordinator,
    );
    this.address = listening;
    this.httpAddress = http ?? '';
    await Promise.all([0, 1].map((i) => this.#serve(this.workerArgs(i), this.#options.worker)));
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
