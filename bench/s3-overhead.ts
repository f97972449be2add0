/**
 * What it costs that input and output are in MinIO instead of folders: the same job both ways on this machine, interleaved, and MinIO's own
 * CPU time apart, because on a cluster it has machines of its own. `npm run bench:s3 [-- SIZE [RUNS]]`, by default 200MB and 3. Linux only.
 */
import { createReadStream, mkdtempSync, rmSync, statSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { createStores } from '../lib/store/resolve.ts';
import { fileUri } from '../lib/store/uri.ts';
import { readManifest } from '../lib/success-manifest.ts';
import { formatBytes, parseBytes } from '../lib/units.ts';
import { type Minio, startMinio } from '../test/minio/start-minio.ts';
import { type GeneratedKind, generate } from './generate.ts';
import { cpuSeconds, measure, summary } from './measure.ts';

const root = join(import.meta.dirname, '..');
const cli = join(root, 'dist/cli/main.js');

const jobs: readonly { readonly name: string; readonly file: string; readonly input: GeneratedKind }[] = [
  { name: 'word count (reads much, writes little)', file: 'examples/word-count.ts', input: 'zipf' },
  { name: 'sort (writes as much as it reads)', file: 'examples/sort.ts', input: 'records' },
];

async function main(bytes: number, runs: number): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-bench-s3-'));
  await using minio = await startMinio();
  Object.assign(process.env, minio.env());
  try {
    console.log(`Node ${process.version}, ${cpus().length} x ${cpus()[0]?.model ?? 'unknown processor'}`);
    for (const job of jobs) await compare(job, minio, folder, bytes, runs);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function compare(
  job: (typeof jobs)[number],
  minio: Minio,
  folder: string,
  bytes: number,
  runs: number,
): Promise<void> {
  const bucket = await minio.makeBucket('bench');
  const input = join(folder, job.input);
  generate(job.input, bytes, input);
  const Body = createReadStream(input);
  const ContentLength = statSync(input).size;
  await minio.client.send(new PutObjectCommand({ Bucket: bucket, Key: 'input', Body, ContentLength }));

  const inFolders: number[] = [];
  const inMinio: number[] = [];
  const minioCpu: number[] = [];
  for (let run = 0; run < runs; run++) {
    const outputs = [fileUri(`${folder}/out-${run}/`), `s3://${bucket}/out-${run}/`] as const;
    inFolders.push(await runJob(job.file, input, outputs[0]));
    const before = cpuSeconds(minio.pid);
    inMinio.push(await runJob(job.file, `s3://${bucket}/input`, outputs[1]));
    minioCpu.push(cpuSeconds(minio.pid) - before);
    await assertSame(...outputs);
    rmSync(join(folder, `out-${run}`), { recursive: true });
  }
  rmSync(input);

  console.log(`\n${job.name}, ${formatBytes(bytes)} (${runs} runs, interleaved; outputs equal)`);
  print('folder to folder', inFolders);
  print('MinIO to MinIO', inMinio);
  print('  of it MinIO, CPU', minioCpu);
  const ratio = summary(inMinio.map((seconds, run) => seconds / (inFolders[run] ?? Number.NaN)));
  console.log(
    `  times as long: ${ratio.median.toFixed(2)} (${ratio.min.toFixed(2)} to ${ratio.max.toFixed(2)})`,
  );
}

async function runJob(job: string, input: string, output: string): Promise<number> {
  const args = [cli, 'run', join(root, job), '-i', input, '-o', output, '--slots', '2', '-r', '4'];
  return (await measure(process.execPath, args)).wallMs / 1000;
}

/** By the checksums of all parts. */
async function assertSame(...outputs: readonly [string, string]): Promise<void> {
  const stores = createStores();
  const [a, b] = await Promise.all(
    outputs.map(async (uri) => {
      const { store, key } = stores.locate(uri);
      const parts = (await readManifest(store, key))?.parts ?? [];
      return JSON.stringify(parts.map(({ key, bytes, crc32 }) => [key, bytes, crc32]));
    }),
  );
  if (a !== b || a === '[]') throw new Error(`different outputs:\n${a}\n${b}`);
}

function print(what: string, seconds: readonly number[]): void {
  const { median, min, max } = summary(seconds);
  console.log(`  ${what.padEnd(20)} ${median.toFixed(2)} s (${min.toFixed(2)} to ${max.toFixed(2)})`);
}

const [size = '200MB', runs = '3'] = process.argv.slice(2);
await main(parseBytes(size, 'SIZE'), Number(runs));
