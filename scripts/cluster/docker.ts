/** Docker and Compose as programs: found, checked, run. */
import { type SpawnSyncReturns, spawnSync } from 'node:child_process';
import { ClusterError } from './arguments.ts';

/** What Docker's own settings are in; the rest of the environment must not change what docker-compose.yml means. */
const passedOn =
  /^(PATH|HOME|USER|TERM|LANG|TMPDIR|SSH_AUTH_SOCK|XDG_.*|DOCKER_.*|BUILDX_.*|BUILDKIT_.*|https?_proxy|no_proxy)$/i;

export function dockerEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => passedOn.test(name)));
}

/** The command of Compose: the plugin, else the program of its own, from 1.29 on. Throws a ClusterError when Docker cannot be used. */
export function findCompose(run: (command: string, args: readonly string[]) => Ran = runQuietly): string[] {
  const engine = run('docker', ['version', '--format', '{{.Server.Version}}']);
  if (engine.isMissing) {
    throw new ClusterError('Docker is not installed: see https://docs.docker.com/engine/install/');
  }
  if (engine.status !== 0) throw new ClusterError(`Docker cannot be used: ${engineTrouble(engine.text)}`);
  if (run('docker', ['compose', 'version']).status === 0) return ['docker', 'compose'];
  const standalone = run('docker-compose', ['version', '--short']);
  if (standalone.isMissing) {
    throw new ClusterError('Docker Compose is not installed: see https://docs.docker.com/compose/install/');
  }
  const [major = 0, minor = 0] = standalone.text.trim().replace(/^v/, '').split('.').map(Number);
  if (major < 1 || (major === 1 && minor < 29)) {
    throw new ClusterError(`docker-compose ${standalone.text.trim()} is too old: 1.29 or newer is needed`);
  }
  return ['docker-compose'];
}

function engineTrouble(text: string): string {
  const said = text.trim().split('\n').at(-1) ?? '';
  if (/permission denied/i.test(text)) {
    return `${said}\nYou may not use it: add yourself to the group docker (and log in again), or run this with sudo.`;
  }
  if (/cannot connect|is the docker daemon running/i.test(text)) {
    return `${said}\nIts engine does not run: start Docker Desktop, or: sudo systemctl start docker`;
  }
  return said;
}

export interface Ran {
  readonly status: number;
  /** Of stdout and, where it is asked for, stderr. */
  readonly text: string;
  /** There is no such program. */
  readonly isMissing: boolean;
}

function runQuietly(command: string, args: readonly string[]): Ran {
  const done = spawnSync(command, args, { encoding: 'utf8', env: dockerEnvironment(process.env) });
  const isMissing = done.error !== undefined && 'code' in done.error && done.error.code === 'ENOENT';
  return { status: done.status ?? 1, text: `${done.stdout ?? ''}${done.stderr ?? ''}`, isMissing };
}

/** Runs with our terminal; throws a ClusterError when it fails. `output: 'errors'` sends what it says to stderr, away from data. */
export function runInTerminal(
  command: readonly string[],
  cwd: string,
  output: 'all' | 'errors' = 'all',
): void {
  const [program = '', ...args] = command;
  const stdio: ('inherit' | number)[] = ['inherit', output === 'all' ? 'inherit' : 2, 'inherit'];
  const done = spawnSync(program, args, { cwd, stdio, env: dockerEnvironment(process.env) });
  checkDone(command, done);
}

/** What it prints on stdout. */
export function read(command: readonly string[], cwd: string): string {
  const [program = '', ...args] = command;
  const done = spawnSync(program, args, { cwd, encoding: 'utf8', env: dockerEnvironment(process.env) });
  checkDone(command, done, done.stderr);
  return done.stdout;
}

function checkDone(command: readonly string[], done: SpawnSyncReturns<unknown>, said = ''): void {
  if (done.status === 0 || done.signal === 'SIGINT') return;
  const why = done.error?.message ?? (said.trim() || `exit code ${done.status}`);
  throw new ClusterError(`${command.join(' ')} failed: ${why}`);
}
