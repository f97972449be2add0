/** `npm run cluster -- COMMAND`: the cluster of docker-compose.yml on this machine. */
import { join, resolve } from 'node:path';
import { type ClusterCommand, ClusterError, parseInvocation, usage } from './cluster/arguments.ts';
import { Cluster } from './cluster/cluster.ts';
import { putInput } from './cluster/put-input.ts';

const workersDefault = 3;
const root = join(import.meta.dirname, '..');

/** Returns the exit code. */
async function run(args: readonly string[]): Promise<number> {
  if (args.length === 0 || args.includes('--help') || args.includes('-h')) {
    process.stdout.write(usage);
    return args.length === 0 ? 2 : 0;
  }
  const { command, envFile } = parseInvocation(args);
  return perform(command, new Cluster(root, envFile && resolve(envFile)));
}

async function perform(command: ClusterCommand, cluster: Cluster): Promise<number> {
  switch (command.name) {
    case 'start':
      return start(cluster, command.workers);
    case 'status':
      cluster.showContainers();
      return cluster.millrace('workers');
    case 'kill-worker':
      return killWorker(cluster, command.worker);
    case 'restart':
      cluster.restart(command.service);
      return 0;
    case 'stop':
      cluster.stop(command.remove);
      return 0;
    case 'rebuild':
      return rebuild(cluster);
    case 'logs':
      cluster.logs(command.service);
      return 0;
    case 'put':
      for (const uri of await putInput(command.files, cluster.clientEnvironment())) console.log(uri);
      return 0;
    case 'env':
      for (const [name, value] of Object.entries(cluster.clientEnvironment())) {
        console.log(`export ${name}='${value}'`);
      }
      return 0;
  }
}

function start(cluster: Cluster, workers: number | undefined): number {
  build(cluster);
  cluster.up(workers ?? (cluster.workers().length || workersDefault));
  const { coordinator, http, s3, console: consoleAddress } = cluster.addresses();
  const { S3_READER_SECRET, S3_CLIENT_SECRET } = cluster.credentials();
  console.log(`
The cluster is up.

  coordinator     ${coordinator}, http://${http}/healthz
  S3              http://${s3}, buckets input, output and millrace (the coordinator's)
  MinIO console   http://${consoleAddress}
                  to look:            millrace-reader   ${S3_READER_SECRET}
                  to bring and take:  millrace-client   ${S3_CLIENT_SECRET}

Bring input, submit a job, and look at the result here or in the console, in the bucket output:

  eval "$(npm run -s cluster -- env)"
  npm run -s cluster -- put README.md
  npx millrace submit examples/word-count.ts -i s3://input/README.md -o s3://output/words
  npx millrace results ID --head 10

Kill a worker while it runs: npm run cluster -- kill-worker 1`);
  return 0;
}

function build(cluster: Cluster): void {
  console.log('building the image');
  cluster.build();
}

function rebuild(cluster: Cluster): number {
  build(cluster);
  const workers = cluster.workers().length;
  if (workers > 0) cluster.up(workers);
  return 0;
}

function killWorker(cluster: Cluster, name: string): number {
  const worker = cluster.killWorker(name);
  console.log(`killed ${worker.name} (${worker.id}); npm run cluster -- restart worker brings it back`);
  return 0;
}

try {
  process.exitCode = await run(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof ClusterError)) throw error;
  console.error(error.message);
  process.exitCode = error.exitCode;
}
