/** A coordinator and workers as processes on this machine, with or without TLS, and jobs submitted to them by the command line. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { startOrDispose } from '../../test/start-or-dispose.ts';
import { type Measured, measure } from '../measure.ts';
import { cliPath } from '../paths.ts';
import { cpuSeconds } from '../process-tree.ts';

export interface SmallClusterOptions {
  /** For state, scratch space and certificates. */
  readonly folder: string;
  readonly workers: number;
  /** Of each worker. */
  readonly slots: number;
  /** Every program shows a certificate and asks for one. */
  readonly tls?: boolean;
  /** Where the coordinator keeps its state; default: a folder. */
  readonly store?: string;
  /** Of all programs, beside this process's own. */
  readonly env?: Readonly<Record<string, string>>;
}

export class SmallCluster implements AsyncDisposable {
  readonly #options: SmallClusterOptions;
  readonly #programs: ChildProcess[] = [];
  #address = '';

  private constructor(options: SmallClusterOptions) {
    this.#options = options;
  }

  /** Resolves when all workers listen. */
  static async start(options: SmallClusterOptions): Promise<SmallCluster> {
    const cluster = new SmallCluster(options);
    return await startOrDispose(cluster, () => cluster.#start());
  }

  /** Process ids of the workers. */
  get workerPids(): (number | undefined)[] {
    return this.#programs.slice(1).map(({ pid }) => pid);
  }

  /** Of coordinator and workers so far. */
  get cpuSeconds(): number {
    return this.#programs.reduce((sum, { pid }) => sum + cpuSeconds(pid), 0);
  }

  /** `millrace submit` as a process of its own, to the end of the job. */
  async submit(job: string, ...flags: readonly string[]): Promise<Measured> {
    const { env } = this.#options;
    const args = [
      'submit',
      job,
      '--quiet',
      '--coordinator',
      this.#address,
      ...flags,
      ...this.#tlsOf('client'),
    ];
    return measure(process.execPath, [cliPath, ...args], env ? { env } : {});
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of this.#programs.splice(0).reverse()) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      const exited = once(child, 'exit');
      child.kill('SIGTERM');
      await exited;
    }
  }

  async #start(): Promise<void> {
    const { folder, workers, slots, tls, store = `file://${join(folder, 'store')}` } = this.#options;
    mkdirSync(join(folder, 'store'), { recursive: true });
    if (tls) await measure(process.execPath, [cliPath, 'certs', join(folder, 'certs')]);
    const places = ['--listen', '127.0.0.1:0', '--http', '127.0.0.1:0', '--store', store];
    this.#address = await this.#serve(['coordinator', ...places, ...this.#tlsOf('coordinator')]);
    const own = ['--coordinator', this.#address, '--listen', '127.0.0.1:0', '--slots', String(slots)];
    for (let worker = 0; worker < workers; worker++)
      await this.#serve([
        'worker',
        ...own,
        '--dir',
        join(folder, `worker-${worker}`),
        ...this.#tlsOf('worker'),
      ]);
  }

  #tlsOf(role: string): string[] {
    if (!this.#options.tls) return [];
    const file = (name: string) => join(this.#options.folder, 'certs', `${name}.pem`);
    return ['--tls-ca', file('ca'), '--tls-cert', file(role), '--tls-key', file(`${role}-key`)];
  }

  /** HOST:PORT of a program, once it listens. */
  async #serve(args: readonly string[]): Promise<string> {
    const child = spawn(process.execPath, [cliPath, ...args, '--quiet', '--json'], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, ...this.#options.env },
    });
    this.#programs.push(child);
    const killAtExit = () => child.kill('SIGKILL');
    process.once('exit', killAtExit);
    child.once('exit', () => process.removeListener('exit', killAtExit));
    const ended = once(child, 'exit').then(([code]) =>
      Promise.reject(new Error(`millrace ${args[0]} exited with ${code}`)),
    );
    const [line] = (await Promise.race([once(createInterface({ input: child.stdout }), 'line'), ended])) as [
      string,
    ];
    ended.catch(() => undefined);
    return (JSON.parse(line) as { listening: string }).listening;
  }
}
