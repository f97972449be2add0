/**
 * The cluster of docker-compose.yml under load: how long from `start` to the first job done, and a word count from MinIO to MinIO on small
 * workers, with the memory of each container. `npm run bench:cluster [-- SIZE [WORKERS]]`, by default 1GB and 4. Needs Docker; Linux only.
 */
import { execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { partName } from '../lib/formats.ts';
import { createStores } from '../lib/store/resolve.ts';
import { environmentS3Access } from '../lib/store/s3/s3-access.ts';
import { formatBytes, parseBytes } from '../lib/units.ts';
import { memoryFolder, readContainerMemory } from './container-memory.ts';
import { generate } from './generate.ts';

const root = join(import.meta.dirname, '..');
const sampleMs = 100;
const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`;

class BenchCluster implements Disposable {
  readonly #folder = mkdtempSync(join(tmpdir(), 'millrace-bench-cluster-'));
  readonly #project = `millrace-bench-${randomBytes(4).toString('hex')}`;
  #clientEnv: Record<string, string> = {};

  constructor() {
    const ports = ['COORDINATOR_PORT', 'COORDINATOR_HTTP_PORT', 'MINIO_PORT', 'MINIO_CONSOLE_PORT'];
    const lines = [`COMPOSE_PROJECT_NAME=${this.#project}`, ...ports.map((name) => `${name}=0`)];
    writeFileSync(this.path('env'), `${lines.join('\n')}\n`, { mode: 0o600 });
  }

  [Symbol.dispose](): void {
    this.command('stop', '--remove');
    rmSync(this.#folder, { recursive: true, force: true });
  }

  path(name: string): string {
    return join(this.#folder, name);
  }

  /** Of `npm run cluster --`; returns its stdout. */
  command(...args: readonly string[]): string {
    const script = join(root, 'scripts/cluster.ts');
    const all = [script, ...args, '--env-file', this.path('env')];
    return execFileSync(process.execPath, all, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  }

  start(workers: number): void {
    this.command('start', '--workers', String(workers));
    const exported = [...this.command('env').matchAll(/^export (\w+)='(.*)'$/gm)];
    this.#clientEnv = Object.fromEntries(exported.map(([, name = '', value = '']) => [name, value]));
  }

  /** The keys of all objects below an `s3://` folder. */
  async list(uri: string): Promise<string[]> {
    const { store, key: prefix } = createStores({ s3: environmentS3Access(this.#clientEnv) }).locate(uri);
    const keys: string[] = [];
    for await (const { key } of store.list(prefix)) keys.push(key);
    return keys;
  }

  /** Runs `millrace` as a client; returns its stdout. */
  async millrace(...args: readonly string[]): Promise<string> {
    const env = { ...process.env, ...this.#clientEnv };
    const child = spawn(process.execPath, [join(root, 'dist/cli/main.js'), ...args], {
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let printed = '';
    let said = '';
    child.stdout.on('data', (text) => (printed += text));
    child.stderr.on('data', (text) => (said += text));
    const [code] = await once(child, 'close');
    if (code !== 0) throw new Error(`millrace ${args.join(' ')} exited with ${code}:\n${said}`);
    return printed;
  }

  /** Name and process id of each running container. */
  containers(): { readonly name: string; readonly pid: number }[] {
    const label = `label=com.docker.compose.project=${this.#project}`;
    const ids = docker('ps', '--quiet', '--filter', label).trim().split('\n');
    return docker('inspect', '--format', '{{.Name}} {{.State.Pid}}', ...ids)
      .trim()
      .split('\n')
      .map((line) => {
        const [name = '', pid] = line.replace(`/${this.#project}`, '').slice(1).split(' ');
        return { name, pid: Number(pid) };
      })
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  }
}

function docker(...args: readonly string[]): string {
  return execFileSync('docker', args, { encoding: 'utf8' });
}

async function main(bytes: number, workers: number): Promise<void> {
  console.log(`Node ${process.version}, ${cpus().length} x ${cpus()[0]?.model ?? 'unknown processor'}`);
  using cluster = new BenchCluster();
  await startToFirstJob(cluster, workers);
  await countWords(cluster, bytes, workers);
}

async function startToFirstJob(cluster: BenchCluster, workers: number): Promise<void> {
  cluster.start(workers);
  writeFileSync(cluster.path('small.txt'), 'to be or not to be\n');
  cluster.command('stop', '--remove');
  const startedMs = performance.now();
  cluster.start(workers);
  const upMs = performance.now() - startedMs;
  cluster.command('put', cluster.path('small.txt'));
  await submit(cluster, 'small.txt', 's3://output/small');
  const doneMs = performance.now() - startedMs;
  console.log(`start, images present: up in ${seconds(upMs)}, first job done in ${seconds(doneMs)}`);
}

async function countWords(cluster: BenchCluster, bytes: number, workers: number): Promise<void> {
  const input = cluster.path('input.txt');
  generate('zipf', bytes, input);
  cluster.command('put', input);

  using memory = new MemorySamples(cluster.containers());
  const startedMs = performance.now();
  const jobId = await submit(cluster, 'input.txt', 's3://output/counts');
  const tookMs = performance.now() - startedMs;
  const rate = `${(bytes / 1e6 / (tookMs / 1000)).toFixed(0)} MB/s`;
  console.log(`word count, ${formatBytes(bytes)}, ${workers} workers: ${seconds(tookMs)}, ${rate}`);
  memory.print();

  execFileSync(process.execPath, [
    join(root, 'bench/peers/plain/word-count.mjs'),
    input,
    cluster.path('plain'),
  ]);
  const counted = (await cluster.millrace('results', jobId)).trimEnd().split('\n').sort().join('\n');
  const isRight =
    counted === readFileSync(cluster.path('plain'), 'utf8').trimEnd().split('\n').sort().join('\n');
  console.log(`answer: ${isRight ? 'the same as a plain count' : 'WRONG'}`);
  const wanted = ['_SUCCESS', ...[0, 1, 2, 3].map((index) => partName('reduce', index))].map(
    (name) => `counts/${name}`,
  );
  const listed = await cluster.list('s3://output/counts/');
  const isListedOnce = listed.join() === wanted.join();
  console.log(`output: ${isListedOnce ? 'each object listed once' : `WRONG: ${listed.join(', ')}`}`);
  if (!isRight || !isListedOnce) process.exitCode = 1;
}

async function submit(cluster: BenchCluster, input: string, output: string): Promise<string> {
  const job = join(root, 'examples/word-count.ts');
  return (await cluster.millrace('submit', job, '-i', `s3://input/${input}`, '-o', output)).trim();
}

/** Looks at the containers while something runs. */
class MemorySamples implements Disposable {
  readonly #containers: { readonly name: string; readonly folder: string; anonymousBytesMax: number }[];
  readonly #timer: NodeJS.Timeout;

  constructor(containers: readonly { readonly name: string; readonly pid: number }[]) {
    this.#containers = containers.map(({ name, pid }) => ({
      name,
      folder: memoryFolder(pid),
      anonymousBytesMax: 0,
    }));
    this.#timer = setInterval(() => this.#sample(), sampleMs);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  #sample(): void {
    for (const container of this.#containers) {
      const { anonymousBytes } = readContainerMemory(container.folder);
      container.anonymousBytesMax = Math.max(container.anonymousBytesMax, anonymousBytes);
    }
  }

  print(): void {
    for (const { name, folder, anonymousBytesMax } of this.#containers) {
      const { peakBytes, limitBytes, outOfMemoryKills } = readContainerMemory(folder);
      const peak = `${formatBytes(peakBytes)} with page cache`;
      console.log(
        `  ${name.padEnd(16)} at most ${formatBytes(anonymousBytesMax)} of ${formatBytes(limitBytes)} (${peak}), killed for memory: ${outOfMemoryKills}`,
      );
      if (outOfMemoryKills > 0) process.exitCode = 1;
    }
  }
}

const [size = '1GB', workers = '4'] = process.argv.slice(2);
await main(parseBytes(size, 'SIZE'), Number(workers));
