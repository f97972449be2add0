/** One cluster of docker-compose.yml: the commands of `npm run cluster --`, without their words. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { ClusterError, type Service } from './arguments.ts';
import { findCompose, read, runInTerminal } from './docker.ts';
import { type EnvFile, ensureEnvFile, readEnvFile } from './env-file.ts';
import { stageImage } from './stage-image.ts';

export interface WorkerContainer {
  /** Twelve hex digits: the beginning of the worker's name, too, because a container's host name is its id. */
  readonly id: string;
  readonly name: string;
  readonly isRunning: boolean;
}

/** HOST:PORT of what is published. */
export interface Addresses {
  readonly coordinator: string;
  readonly http: string;
  readonly s3: string;
  readonly console: string;
}

/** What is used of `docker inspect`. */
interface Inspected {
  readonly Id: string;
  readonly Name: string;
  readonly State: { readonly Running: boolean };
  readonly NetworkSettings: {
    readonly Ports: Readonly<
      Record<string, readonly { readonly HostIp: string; readonly HostPort: string }[] | null>
    >;
  };
}

export class Cluster {
  readonly #root: string;
  readonly #envFile: string;
  readonly #compose: readonly string[];

  /** Throws a ClusterError when Docker or Compose cannot be used. */
  constructor(root: string, envFile = join(root, '.env')) {
    this.#root = root;
    this.#envFile = envFile;
    this.#compose = [
      ...findCompose(),
      ...['--project-directory', root, '--file', join(root, 'docker-compose.yml'), '--env-file', envFile],
    ];
  }

  /** Makes the credentials when there are none yet, and builds the image: quick when nothing changed. */
  build(): void {
    ensureEnvFile(this.#envFile);
    stageImage(this.#root, join(this.#root, '.millrace/image'));
    this.#read('build', 'coordinator');
  }

  /** Returns when the coordinator is healthy and the workers are started. */
  up(workers: number): void {
    try {
      this.#run('up', '--detach', '--scale', `worker=${workers}`);
    } catch (error) {
      if (!(error instanceof ClusterError)) throw error;
      throw new ClusterError(`${error.message}\nThe logs say why: npm run cluster -- logs`);
    }
  }

  /** Of the service's containers that exist, killed ones too. */
  restart(service: Service | undefined): void {
    this.#run('restart', ...(service ? [service] : []));
  }

  stop(remove: boolean): void {
    if (remove) this.#run('down', '--volumes', '--remove-orphans');
    else this.#run('stop');
  }

  logs(service: Service | undefined): void {
    this.#run('logs', '--follow', '--tail', '200', ...(service ? [service] : []));
  }

  showContainers(): void {
    this.#run('ps');
  }

  workers(): WorkerContainer[] {
    return this.#inspect('worker').map(({ Id, Name, State }) => ({
      id: Id.slice(0, 12),
      name: Name.replace(/^\//, ''),
      isRunning: State.Running,
    }));
  }

  /** Throws a ClusterError when no running worker, or more than one, has this name. */
  killWorker(name: string): WorkerContainer {
    const worker = chooseWorker(this.workers(), name);
    read(['docker', 'kill', '--signal', 'KILL', worker.id], this.#root);
    return worker;
  }

  /** Throws a ClusterError when it does not run. */
  addresses(): Addresses {
    const ports = this.#inspect('coordinator', 'minio').flatMap((container) =>
      Object.entries(container.NetworkSettings.Ports),
    );
    const addressOf = (port: number): string => {
      const [bound] = ports.find(([inside, outside]) => inside === `${port}/tcp` && outside)?.[1] ?? [];
      if (bound) return `${bound.HostIp}:${bound.HostPort}`;
      throw new ClusterError('the cluster does not run: npm run cluster -- start');
    };
    return {
      coordinator: addressOf(7450),
      http: addressOf(7451),
      s3: addressOf(9000),
      console: addressOf(9001),
    };
  }

  credentials(): EnvFile {
    const found = readEnvFile(this.#envFile);
    if (found) return found;
    throw new ClusterError(`there is no ${this.#envFile} yet: npm run cluster -- start makes it`);
  }

  /** What a client needs in its environment. */
  clientEnvironment(): Record<string, string> {
    const { coordinator, s3 } = this.addresses();
    const { MILLRACE_CLIENT_TOKEN = '', S3_CLIENT_SECRET = '' } = this.credentials();
    return {
      MILLRACE_COORDINATOR: coordinator,
      MILLRACE_TOKEN: MILLRACE_CLIENT_TOKEN,
      AWS_ENDPOINT_URL_S3: `http://${s3}`,
      AWS_ACCESS_KEY_ID: 'millrace-client',
      AWS_SECRET_ACCESS_KEY: S3_CLIENT_SECRET,
      AWS_REGION: 'us-east-1',
    };
  }

  /** Runs `millrace` of this checkout as a client of the cluster; returns its exit code. */
  millrace(...args: readonly string[]): number {
    const env = { ...process.env, ...this.clientEnvironment() };
    const main = join(this.#root, 'dist/cli/main.js');
    return spawnSync(process.execPath, [main, ...args], { stdio: 'inherit', env }).status ?? 1;
  }

  /** The containers of the services, stopped ones too. */
  #inspect(...services: readonly Service[]): Inspected[] {
    const ids = this.#read('ps', '--all', '--quiet', ...services)
      .split('\n')
      .filter(Boolean);
    return ids.length === 0 ? [] : JSON.parse(read(['docker', 'inspect', ...ids], this.#root));
  }

  #run(...args: readonly string[]): void {
    runInTerminal([...this.#compose, ...args], this.#root);
  }

  #read(...args: readonly string[]): string {
    return read([...this.#compose, ...args], this.#root);
  }
}

/** By the name of its container, its number, its container's id, or the name that the coordinator knows, which begins with that id. */
export function chooseWorker(workers: readonly WorkerContainer[], name: string): WorkerContainer {
  const running = workers.filter(({ isRunning }) => isRunning);
  const isNumber = /^\d{1,3}$/.test(name);
  const found = running.filter(
    (worker) =>
      worker.name === name ||
      (isNumber ? new RegExp(`[-_]${name}$`).test(worker.name) : name.startsWith(worker.id)) ||
      (name.length >= 4 && worker.id.startsWith(name)),
  );
  if (found.length === 1 && found[0]) return found[0];
  const names = running.map((worker) => worker.name).join(', ');
  const what = found.length === 0 ? 'no running worker is' : 'more than one worker is';
  throw new ClusterError(`${what} '${name}'; running: ${names || 'none'}`, 2);
}
