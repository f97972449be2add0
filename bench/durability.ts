/**
 * What copies of map output cost: the same job with each `--durability`, interleaved, on one worker of two slots whose coordinator has its store
 * in MinIO; input and output are in folders. `npm run bench:durability [-- SIZE [RUNS]]`, by default 200MB and 3. Linux only.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { durabilities } from '../lib/job-spec.ts';
import { formatBytes, parseBytes } from '../lib/units.ts';
import { startMinio } from '../test/minio/start-minio.ts';
import { type GeneratedKind, generate } from './generate.ts';
import { cpuSeconds, measure, summary } from './measure.ts';

const root = join(import.meta.dirname, '..');
const cli = join(root, 'dist/cli/main.js');

const jobs: readonly { readonly name: string; readonly file: string; readonly input: GeneratedKind }[] = [
  { name: 'word count (little map output)', file: 'examples/word-count.ts', input: 'zipf' },
  { name: 'sort (as much map output as input)', file: 'examples/sort.ts', input: 'records' },
];

interface Run {
  readonly wallSeconds: number;
  /** Of the worker and MinIO together. */
  readonly cpuSeconds: number;
}

interface DevCluster extends AsyncDisposable {
  readonly address: string;
  readonly workerPid: number;
}

async function main(bytes: number, runs: number): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-bench-durability-'));
  await using minio = await startMinio();
  Object.assign(process.env, minio.env());
  const store = `s3://${await minio.makeBucket('bench')}/store`;
  await using cluster = await startDev(store);
  const cpuNow = () => cpuSeconds(cluster.workerPid) + cpuSeconds(minio.pid);
  try {
    console.log(`Node ${process.version}, ${cpus().length} x ${cpus()[0]?.model ?? 'unknown processor'}`);
    for (const { name, file, input } of jobs) {
      generate(input, bytes, join(folder, input));
      const seen = new Map<string, Run[]>(durabilities.map((durability) => [durability, []]));
      for (let run = 0; run < runs; run++) {
        for (const durability of durabilities) {
          const output = join(folder, 'out');
          const flags = ['-i', join(folder, input), '-o', output, '-r', '4', '--durability', durability];
          const before = cpuNow();
          const submit = [cli, 'submit', join(root, file), '--coordinator', cluster.address, ...flags];
          const { wallMs } = await measure(process.execPath, submit);
          seen.get(durability)!.push({ wallSeconds: wallMs / 1_000, cpuSeconds: cpuNow() - before });
          rmSync(output, { recursive: true });
        }
      }
      console.log(`\n${name}, ${formatBytes(bytes)} (${runs} runs, interleaved)`);
      for (const [durability, its] of seen) print(durability, its, seen.get('local')!);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function startDev(store: string): Promise<DevCluster> {
  const flags = ['--workers', '1', '--slots', '2', '--listen', '127.0.0.1:0', '--http', '127.0.0.1:0'];
  const child = spawn(process.execPath, [cli, 'dev', ...flags, '--store', store, '--json'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  const [line] = (await Promise.race([
    once(createInterface({ input: child.stdout }), 'line'),
    exited.then(([code]) => Promise.reject(new Error(`millrace dev exited with ${code}`))),
  ])) as [string];
  const said = JSON.parse(line) as { listening: string; workers: { pid: number }[] };
  return {
    address: said.listening,
    workerPid: said.workers[0]!.pid,
    async [Symbol.asyncDispose]() {
      child.kill('SIGTERM');
      await exited;
    },
  };
}

/** Ratios are those of runs that followed each other. */
function print(durability: string, runs: readonly Run[], local: readonly Run[]): void {
  const wall = summary(runs.map(({ wallSeconds }) => wallSeconds));
  const times = summary(runs.map((run, at) => run.wallSeconds / local[at]!.wallSeconds));
  const cpu = summary(runs.map((run, at) => run.cpuSeconds / local[at]!.cpuSeconds));
  const range = `${wall.median.toFixed(2)} s (${wall.min.toFixed(2)} to ${wall.max.toFixed(2)})`;
  const ratio = `${times.median.toFixed(2)} (${times.min.toFixed(2)} to ${times.max.toFixed(2)})`;
  console.log(
    `  ${durability.padEnd(6)} ${range}; times as long ${ratio}; CPU times ${cpu.median.toFixed(2)}`,
  );
}

const [size = '200MB', runs = '3'] = process.argv.slice(2);
await main(parseBytes(size, 'SIZE'), Number(runs));
