/**
 * A program of the built command line that is started again whenever it ends, as systemd or Kubernetes would do it, with the log and the ends of all
 * its lives. For tests in which programs die by themselves, or are killed.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { cliPath } from './e2e/cluster.ts';

export interface SupervisedOptions {
  /** In messages: `worker-1`. */
  readonly name: string;
  /**
   * Its arguments, `--json` among them, because its first line on stdout is its `{"listening": HOST:PORT}`. Asked at each start;
   * `listening` is what it said first, undefined at the first start: for a program that is to come back at the same address.
   */
  args(listening: string | undefined): readonly string[];
  /** Beside the test's own, without its MILLRACE_* variables. Asked at each start, with the number of the life, from 1. */
  env?(life: number): Readonly<Record<string, string>>;
}

/** How one life ended. */
export interface End {
  readonly pid: number;
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** Between an end and the next start. */
const restartMs = 100;
/** Lives in a row that ended before they listened: then it is not started again. */
const failuresMax = 20;

/** A test that times out never gets to dispose of them. */
const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

export class Supervised implements AsyncDisposable {
  readonly name: string;
  readonly ends: End[] = [];
  readonly #options: SupervisedOptions;
  #child: ChildProcess | undefined;
  #listening: string | undefined;
  #isUp = false;
  #isStopped = false;
  #lives = 0;
  #failures = 0;
  #log = '';
  #restart: NodeJS.Timeout | undefined;
  #changed = Promise.withResolvers<void>();

  private constructor(options: SupervisedOptions) {
    this.name = options.name;
    this.#options = options;
  }

  /** Resolves when its first life listens. Throws with its log when it never does. */
  static async start(options: SupervisedOptions): Promise<Supervised> {
    const supervised = new Supervised(options);
    supervised.#begin();
    await supervised.untilUp();
    return supervised;
  }

  /** HOST:PORT of the life that listens, or of the last one. */
  get listening(): string {
    return this.#listening ?? '';
  }

  /** Of the life there is; undefined between two. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** How often it was started. */
  get lives(): number {
    return this.#lives;
  }

  /** Listens now. */
  get isUp(): boolean {
    return this.#isUp;
  }

  /** What all lives printed on stderr; a line of ours between two of them. */
  get log(): string {
    return this.#log;
  }

  /** Resolves when life number `life`, or a later one, listens; default: any. Throws with the log when it is not started again. */
  async untilUp(life = 1): Promise<void> {
    while (!this.#isUp || this.#lives < life) {
      if (this.#isStopped) throw new Error(`${this.name} is stopped:\n${this.#log}`);
      await this.#changed.promise;
    }
  }

  /** To the life there is; nothing happens between two. */
  signal(signal: NodeJS.Signals): void {
    this.#child?.kill(signal);
  }

  /** Ends the life there is, and starts the next at once. Resolves when that listens. */
  async restart(): Promise<void> {
    const next = this.#child ? this.#lives + 1 : this.#lives;
    this.signal('SIGKILL');
    await this.untilUp(next);
  }

  /** Kills it, stopped or not, and starts it no more. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isStopped = true;
    clearTimeout(this.#restart);
    const child = this.#child;
    if (child && child.exitCode === null && child.signalCode === null) {
      const closed = once(child, 'close');
      child.kill('SIGKILL');
      await closed;
    }
    this.#tell();
  }

  #begin(): void {
    const { args, env } = this.#options;
    this.#lives++;
    const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('MILLRACE_'));
    const child = spawn(process.execPath, [cliPath, ...args(this.#listening)], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...Object.fromEntries(inherited), NO_COLOR: '1', ...env?.(this.#lives) },
    });
    this.#child = child;
    running.add(child);
    child.stderr.setEncoding('utf8').on('data', (text) => {
      this.#log += text;
    });
    createInterface({ input: child.stdout }).once('line', (line) => {
      this.#listening = (JSON.parse(line) as { listening: string }).listening;
      this.#isUp = true;
      this.#failures = 0;
      this.#tell();
    });
    child.once('close', (code, signal) => this.#ended(child, { pid: child.pid ?? 0, code, signal }));
  }

  #ended(child: ChildProcess, end: End): void {
    this.ends.push(end);
    running.delete(child);
    this.#log += `--- ${this.name} (process ${end.pid}) ended with ${end.signal ?? end.code}\n`;
    if (!this.#isUp) this.#failures++;
    this.#isUp = false;
    this.#child = undefined;
    if (this.#failures >= failuresMax) this.#isStopped = true;
    if (!this.#isStopped) this.#restart = setTimeout(() => this.#begin(), restartMs);
    this.#tell();
  }

  #tell(): void {
    const { resolve } = this.#changed;
    this.#changed = Promise.withResolvers<void>();
    resolve();
  }
}
