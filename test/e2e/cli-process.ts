/** The built command line as a process: what it printed, how it ended. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { cliPath } from './cluster.ts';

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CliOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

export interface Running {
  readonly child: ChildProcess;
  /** Resolves with the first line on stdout; throws when it ends without one. */
  readonly firstLine: Promise<string>;
  readonly ended: Promise<Ended>;
}

const started = new Set<ChildProcess>();

/** For after each test: a test that failed half-way leaves no process behind. */
export async function endAll(): Promise<void> {
  for (const child of started) {
    const closed = once(child, 'close');
    child.kill('SIGKILL');
    await closed;
  }
}

/** Without the MILLRACE_* variables of whoever runs the tests. */
export function startCli(args: readonly string[], options: CliOptions = {}): Running {
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('MILLRACE_'));
  const child = spawn(process.execPath, [cliPath, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    cwd: options.cwd,
    env: { ...Object.fromEntries(inherited), NO_COLOR: '1', ...options.env },
  });
  started.add(child);
  child.once('close', () => started.delete(child));
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text) => {
    stderr += text;
  });
  const ended = once(child, 'close').then(([code, signal]) => ({ code, signal, stdout, stderr }) as Ended);
  const noLine = ended.then((end) => {
    throw new Error(`millrace ${args.join(' ')} ended (${end.code}) without a line:\n${end.stderr}`);
  });
  const firstLine = Promise.race([
    once(createInterface({ input: child.stdout }), 'line').then(([line]) => String(line)),
    noLine,
  ]);
  firstLine.catch(() => undefined);
  return { child, firstLine, ended };
}

export function runCli(args: readonly string[], options: CliOptions = {}): Promise<Ended> {
  return startCli(args, options).ended;
}
