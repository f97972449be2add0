/** The command line of `npm run cluster --`. */

export type ClusterCommand =
  | { readonly name: 'start'; readonly workers: number | undefined }
  | { readonly name: 'status' | 'rebuild' | 'env' }
  | { readonly name: 'stop'; readonly remove: boolean }
  | { readonly name: 'restart' | 'logs'; readonly service: Service | undefined }
  | { readonly name: 'kill-worker'; readonly worker: string }
  | { readonly name: 'put'; readonly files: readonly string[] };

const services = ['minio', 'setup', 'coordinator', 'worker'] as const;
export type Service = (typeof services)[number];

export interface Invocation {
  readonly command: ClusterCommand;
  /** Of the credentials; default `.env`. Clusters with files of their own live beside each other. */
  readonly envFile: string | undefined;
}

const workersMax = 64;

export const usage = `npm run cluster -- COMMAND [--env-file FILE]

  start [--workers N]   builds the image, makes .env, and starts everything; 3 workers, or as many as there are
  status                containers, and the workers as the coordinator sees them
  kill-worker NAME      kills a worker, as if its machine had lost power; NAME as status shows it, or its number
  restart [SERVICE]     stops and starts all of it, or one of ${services.join(', ')}; killed workers come back
  stop [--remove]       stops all of it; --remove also deletes the containers and all data in MinIO
  rebuild               builds the image from the sources again, and replaces the containers that run
  logs [SERVICE]        follows the logs
  put FILE...           copies files into the bucket input
  env                   what a shell needs to submit jobs: eval "$(npm run -s cluster -- env)"
`;

/** What is wrong with a command line or with the machine: shown without a stack. */
export class ClusterError extends Error {
  override name = 'ClusterError';
  readonly exitCode: number;

  constructor(message: string, exitCode = 1) {
    super(message);
    this.exitCode = exitCode;
  }
}

/** Throws a ClusterError with exit code 2. */
export function parseInvocation(args: readonly string[]): Invocation {
  const rest = [...args];
  const envFile = takeOption(rest, '--env-file');
  const name = rest.shift();
  const command = parseCommand(name, rest);
  if (rest.length > 0) refuse(`'${name}' does not take ${rest.join(' ')}`);
  return { command, envFile };
}

/** Takes what it understands out of `rest`. */
function parseCommand(name: string | undefined, rest: string[]): ClusterCommand {
  switch (name) {
    case 'start':
      return { name, workers: parseWorkers(takeOption(rest, '--workers')) };
    case 'status':
    case 'rebuild':
    case 'env':
      return { name };
    case 'stop':
      return { name, remove: takeFlag(rest, '--remove') };
    case 'restart':
    case 'logs':
      return { name, service: parseService(rest.shift()) };
    case 'kill-worker':
      return { name, worker: rest.shift() ?? refuse('kill-worker needs a NAME: see status') };
    case 'put':
      return { name, files: takeAll(rest) };
    default:
      return refuse(name === undefined ? 'which COMMAND?' : `there is no command '${name}'`);
  }
}

function takeOption(rest: string[], flag: string): string | undefined {
  const at = rest.findIndex((arg) => arg === flag || arg.startsWith(`${flag}=`));
  if (at < 0) return undefined;
  const [arg = ''] = rest.splice(at, 1);
  const value = arg === flag ? rest.splice(at, 1)[0] : arg.slice(flag.length + 1);
  return value || refuse(`${flag} needs a value`);
}

function takeFlag(rest: string[], flag: string): boolean {
  const at = rest.indexOf(flag);
  if (at >= 0) rest.splice(at, 1);
  return at >= 0;
}

function takeAll(rest: string[]): string[] {
  const files = rest.splice(0);
  return files.length > 0 ? files : refuse('put needs a FILE');
}

function parseWorkers(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const workers = Number(text);
  if (/^\d+$/.test(text) && workers >= 1 && workers <= workersMax) return workers;
  return refuse(`--workers is a number from 1 to ${workersMax}, not '${text}'`);
}

function parseService(text: string | undefined): Service | undefined {
  if (text === undefined) return undefined;
  return services.find((service) => service === text) ?? refuse(`there is no service '${text}'`);
}

function refuse(message: string): never {
  throw new ClusterError(`${message}\n\n${usage}`, 2);
}
