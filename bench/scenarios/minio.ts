/**
 * What it costs that input and output are in MinIO instead of folders, and, with `durability`, that map output is copied there: the same job each way.
 * MinIO's own CPU time is told apart, because on a cluster it has machines of its own.
 */
import { createReadStream, statSync } from 'node:fs';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { durabilities } from '../../lib/job-spec.ts';
import { createStores } from '../../lib/store/resolve.ts';
import { fileUri } from '../../lib/store/uri.ts';
import { readManifest } from '../../lib/success-manifest.ts';
import { type Minio, startMinio } from '../../test/minio/start-minio.ts';
import type { Experiment, ExperimentContext } from '../experiments/experiment.ts';
import { type Measured, measure } from '../measure.ts';
import { cliPath, jobPath } from '../paths.ts';
import { cpuSeconds } from '../process-tree.ts';
import { nothingFound, type Result } from '../result.ts';
import { compareSettings } from './settings.ts';
import { SmallCluster } from './small-cluster.ts';

const bytes = 200e6;
const jobs = [
  { name: 'word count', file: 'word-count-generator', kind: 'zipf' },
  { name: 'sort', file: 'sort-built-in', kind: 'records' },
] as const;
type StoredJob = (typeof jobs)[number];

/** By the checksums of all parts, wherever they are. */
async function digestOf(minio: Minio, uri: string): Promise<string> {
  const { store, key } = createStores({ s3: minio.access() }).locate(uri);
  const parts = (await readManifest(store, `${key}/`))?.parts ?? [];
  if (parts.length === 0) throw new Error(`there is no output in ${uri}`);
  return JSON.stringify(parts.map(({ key: name, bytes: size, crc32 }) => [name, size, crc32]));
}

async function withMinioCpu(
  minio: Minio,
  run: () => Promise<Measured>,
  minioCpu: number[],
): Promise<Measured> {
  const before = cpuSeconds(minio.pid);
  const measured = await run();
  minioCpu.push(cpuSeconds(minio.pid) - before);
  return measured;
}

async function compareStores(job: StoredJob, minio: Minio, context: ExperimentContext): Promise<Result[]> {
  const bucket = await minio.makeBucket('bench');
  const input = context.input(job.kind, bytes);
  const Body = createReadStream(input);
  const ContentLength = statSync(input).size;
  await minio.client.send(new PutObjectCommand({ Bucket: bucket, Key: 'input', Body, ContentLength }));
  const run = (from: string, to: string) =>
    measure(
      process.execPath,
      [cliPath, 'run', jobPath(job.file), '-i', from, '-o', to, '--slots', '2', '-r', '4', '--quiet'],
      {
        env: minio.env(),
      },
    );
  const minioCpu: number[] = [];
  const inBucket = `s3://${bucket}/output`;
  const conditions = [
    {
      name: 'folder to folder',
      run: (output: string) => run(input, output),
      digest: (output: string) => digestOf(minio, fileUri(output)),
    },
    {
      name: 'MinIO to MinIO',
      run: () =>
        withMinioCpu(minio, () => run(`s3://${bucket}/input`, `${inBucket}-${minioCpu.length}`), minioCpu),
      digest: () => digestOf(minio, `${inBucket}-${minioCpu.length - 1}`),
    },
  ];
  const results = await compareSettings('minio', { job: job.name, bytes }, conditions, context);
  const ofMinio = results.find(({ metric }) => metric === 'CPU time')!;
  return [...results, { ...ofMinio, subject: 'MinIO itself', samples: minioCpu }];
}

export const minio: Experiment = {
  name: 'minio',
  title: 'input and output in folders and in MinIO',
  expectedSeconds: (runs) => 5 + runs * jobs.length * 14,
  whyNot: () => undefined,
  async run(context) {
    await using server = await startMinio();
    const results: Result[] = [];
    for (const job of jobs) results.push(...(await compareStores(job, server, context)));
    return { ...nothingFound, results };
  },
};

export const durability: Experiment = {
  name: 'durability',
  title: 'a sort with map output copied to MinIO: not, later, before a map is done',
  expectedSeconds: (runs) => 5 + runs * durabilities.length * 8,
  whyNot: () => undefined,
  async run(context) {
    await using server = await startMinio();
    const { folder, input } = context;
    const store = `s3://${await server.makeBucket('bench')}/store`;
    await using cluster = await SmallCluster.start({
      folder,
      workers: 1,
      slots: 2,
      store,
      env: server.env(),
    });
    const records = input('records', bytes);
    const cpuNow = () => cluster.cpuSeconds + cpuSeconds(server.pid);
    const conditions = durabilities.map((wanted) => ({
      name: `--durability ${wanted}`,
      run: async (output: string) => {
        const before = cpuNow();
        const flags = ['-i', records, '-o', output, '-r', '4', '--durability', wanted];
        const submitted = await cluster.submit(jobPath('sort-built-in'), ...flags);
        return { ...submitted, cpuSeconds: cpuNow() - before };
      },
      digest: (output: string) => digestOf(server, fileUri(output)),
    }));
    return { ...nothingFound, results: await compareSettings('durability', { bytes }, conditions, context) };
  },
};
