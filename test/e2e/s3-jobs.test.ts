/** Jobs whose input, job files and output are in a real MinIO, run by real processes: the same bytes as in folders. */
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeWithMinio } from '../minio/describe-with-minio.ts';
import type { Minio } from '../minio/start-minio.ts';
import { Bucket, decisionsOfCompletedJob } from './bucket.ts';
import { runCli } from './cli-process.ts';
import { Cluster, readParts, waitFor } from './cluster.ts';

const root = join(import.meta.dirname, '../..');
const wordCount = join(root, 'examples/word-count.ts');
const sort = join(root, 'examples/sort.ts');
const slowWordCount = join(import.meta.dirname, 'jobs/slow-word-count.ts');
const slowLines = join(import.meta.dirname, 'jobs/slow-lines.ts');

let folder: string;
let text: string;
let records: Buffer;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-s3-'));
  const words = ['river', 'mill', 'wheel', 'race', 'stone', 'grain', 'flour', 'sack', 'Mill', 'weir'];
  const lines = Array.from(
    { length: 2_400 },
    (_, i) => `${words[i % 10]} ${words[(i * 7) % 9]} w${i % 97} x`,
  );
  text = `${lines.join('\n')}\n`;
  records = Buffer.alloc(100 * 3_000, '.');
  for (let i = 0; i < 3_000; i++)
    records.write(String((i * 7_919) % 3_000).padStart(10, '0'), i * 100, 'latin1');
  mkdirSync(join(folder, 'in'));
  writeFileSync(join(folder, 'in/text.txt'), text);
  writeFileSync(join(folder, 'in/records'), records);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Two workers; job files and journal in the bucket. */
async function startCluster(minio: Minio, bucket: Bucket): Promise<Cluster> {
  return await Cluster.start({
    workers: 2,
    heartbeatTimeout: '2s',
    store: bucket.uri('cluster'),
    env: minio.env(),
  });
}

await describeWithMinio('jobs on MinIO', (minio) => {
  let bucket: Bucket;
  let cluster: Cluster;
  let expected: { words: Record<string, string>; sorted: Record<string, string> };

  beforeAll(async () => {
    bucket = await Bucket.make(minio());
    await bucket.put('in/text.txt', text);
    await bucket.put('in/records', records);
    cluster = await startCluster(minio(), bucket);
    const inFolders = async (job: string, input: string, name: string) => {
      const output = join(folder, name);
      const options = { input: [join(folder, input)], output, maps: 6, reducers: 3 };
      expect((await (await cluster.client.submit(job, options)).wait()).state).toBe('COMPLETED');
      return readParts(output);
    };
    expected = {
      words: await inFolders(wordCount, 'in/text.txt', 'words'),
      sorted: await inFolders(sort, 'in/records', 'sorted'),
    };
  });
  afterAll(() => cluster?.[Symbol.asyncDispose]());

  async function run(job: string, input: string[], output: string, maps = 6): Promise<string> {
    const handle = await cluster.client.submit(job, { input, output, maps, reducers: 3 });
    expect(await handle.wait()).toMatchObject({ state: 'COMPLETED' });
    return handle.id;
  }

  test('word count from S3 to S3: the bytes of the folder run, and nothing else is there or pending', async () => {
    await run(wordCount, [bucket.uri('in/text.txt')], bucket.uri('words'));
    expect(await bucket.parts('words/')).toEqual(expected.words);
    const keys = await bucket.keys('words/');
    expect(keys).toEqual(['_SUCCESS', ...Object.keys(expected.words)].map((name) => `words/${name}`));
    expect(await bucket.pending(keys)).toEqual([]);
  });

  test('sort from S3 to S3: the bytes of the folder run', async () => {
    await run(sort, [bucket.uri('in/records')], bucket.uri('sorted'));
    expect(await bucket.parts('sorted/')).toEqual(expected.sorted);
    expect(Object.values(expected.sorted).join('')).toHaveLength(records.length);
  });

  test('from a folder to S3, and from S3 to a folder', async () => {
    await run(wordCount, [join(folder, 'in/text.txt')], bucket.uri('from-folder'));
    expect(await bucket.parts('from-folder/')).toEqual(expected.words);
    await run(wordCount, [bucket.uri('in/text.txt')], join(folder, 'from-s3'));
    expect(readParts(join(folder, 'from-s3'))).toEqual(expected.words);
    expect(readdirSync(join(folder, 'from-s3'))).toContain('_SUCCESS');
  });

  test('a map-only job writes its parts to S3', async () => {
    const handle = await cluster.client.submit(slowLines, {
      input: [bucket.uri('in/text.txt')],
      output: bucket.uri('lines'),
      maps: 4,
    });
    expect(await handle.wait()).toMatchObject({ state: 'COMPLETED' });
    const parts = await bucket.parts('lines/');
    expect(Object.keys(parts)).toEqual(['part-m-00000', 'part-m-00001', 'part-m-00002', 'part-m-00003']);
    expect(Object.values(parts).join('').replaceAll('\t', '')).toBe(text);
  });

  test('a glob over more objects than one page of a listing holds finds each once', async () => {
    const names = Array.from({ length: 1_203 }, (_, i) => `many/${i % 2 ? 'odd' : 'even'}/${i}.txt`);
    for (let at = 0; at < names.length; at += 50) {
      await Promise.all(names.slice(at, at + 50).map((key) => bucket.put(key, 'one line\n')));
    }
    await bucket.put('many/odd/notes.md', 'another thing\n');
    await run(wordCount, [bucket.uri('many/**/*.txt')], bucket.uri('counted'), 4);
    const counts = Object.values(await bucket.parts('counted/')).join('');
    expect(counts.split('\n').filter(Boolean).sort()).toEqual(['line\t1203', 'one\t1203']);
  });

  test('--if-exists: fail refuses, replace leaves only the new output, append adds to it', async () => {
    const output = bucket.uri('again');
    const submit = (ifExists: 'fail' | 'replace' | 'append', reducers: number) =>
      cluster.client.submit(wordCount, {
        input: [bucket.uri('in/text.txt')],
        output,
        maps: 2,
        reducers,
        ifExists,
      });
    await (await submit('fail', 3)).wait();
    await expect(submit('fail', 3)).rejects.toMatchObject({
      code: 'output-exists',
      message: expect.stringContaining(output),
    });
    await (await submit('replace', 2)).wait();
    expect(await bucket.keys('again/')).toEqual([
      'again/_SUCCESS',
      'again/part-r-00000',
      'again/part-r-00001',
    ]);
    await (await submit('append', 1)).wait();
    const { parts } = (await bucket.json('again/_SUCCESS')) as { parts: { key: string }[] };
    expect(parts.map(({ key }) => key)).toEqual(['part-r-00000', 'part-r-00001', 'part-r-00002']);
    expect((await bucket.keys('again/')).length).toBe(4);
  });

  test('a worker killed while reduces stage their parts: the same bytes, and no upload of the dead one stays', async () => {
    const input = [bucket.uri('in/text.txt')];
    const output = bucket.uri('killed');
    await using small = await startCluster(minio(), await Bucket.make(minio()));
    const handle = await small.client.submit(slowWordCount, {
      input,
      output,
      maps: 6,
      reducers: 3,
      params: { reduceMs: 100 },
    });
    const keys = [0, 1, 2].map((index) => `killed/part-r-0000${index}`);
    await waitFor(handle, (view) => view.reduce.running >= 2 && view.map.done === 6);
    while ((await bucket.pending(keys)).length === 0);
    // Nothing of it is seen while it is written.
    expect(await bucket.keys('killed/')).toEqual([]);
    small.workers[0]!.process.kill('SIGKILL');
    expect(await handle.wait()).toMatchObject({ state: 'COMPLETED' });
    expect(await bucket.parts('killed/')).toEqual(expected.words);
    expect(await bucket.pending(keys)).toEqual([]);
  });

  test('the folder of a job tells its story: spec, bundle, events in order, outcome', async () => {
    const id = await run(wordCount, [bucket.uri('in/text.txt')], bucket.uri('told'));
    const home = `cluster/jobs/${id}/`;
    // The outcome is the last thing written, and written after the client was told.
    let names: string[] = [];
    while (!names.includes('outcome.json')) {
      names = (await bucket.keys(home)).map((key) => key.slice(home.length));
    }
    const eventFiles = names.filter((name) => name.startsWith('events/'));
    // On a busy machine the job takes longer than one of them is open.
    expect(eventFiles).toEqual(eventFiles.map((_, index) => `events/00000${index + 1}.jsonl`));
    expect(names.filter((name) => !name.startsWith('events/'))).toEqual([
      expect.stringMatching(/^bundle-[0-9a-f]{64}\.mjs$/),
      'map-outputs.jsonl',
      'outcome.json',
      'spec.json',
      'splits.jsonl',
    ]);
    expect(await bucket.json(`${home}spec.json`)).toMatchObject({
      jobId: id,
      name: 'word-count',
      reducers: 3,
    });
    expect(await bucket.json(`${home}outcome.json`)).toMatchObject({
      jobId: id,
      state: 'COMPLETED',
      map: { total: 6, done: 6 },
      reduce: { done: 3 },
    });
    const events = (await Promise.all(eventFiles.map((name) => bucket.jsonLines(`${home}${name}`)))).flat();
    const states = events.filter(({ type }) => type === 'job-state').map(({ state }) => state);
    expect(states).toEqual(['SUBMITTED', 'MAPPING', 'REDUCING', 'COMMITTING', 'COMPLETED']);
    const ends = events.filter(({ type }) => type === 'attempt-ended');
    expect(ends).toHaveLength(9);
  });

  test('the journal in the bucket has every decision in order, and every part before it is accepted', async () => {
    const id = await run(wordCount, [bucket.uri('in/text.txt')], bucket.uri('journaled'));
    const own = await bucket.decisionsOf('cluster/', id);
    const types = own.map(({ type }) => type);
    expect(types.filter((type) => !type.startsWith('part-'))).toEqual(decisionsOfCompletedJob);
    const tokens = (wanted: string) =>
      own
        .filter(({ type }) => type === wanted)
        .map(({ part }) => part?.token)
        .sort();
    expect(tokens('part-accepted')).toHaveLength(3);
    expect(tokens('part-opened')).toEqual(tokens('part-accepted'));
    expect(types.lastIndexOf('part-opened')).toBeLessThan(types.indexOf('job-committing'));
  });

  test('millrace results reads the output in S3', async () => {
    const id = await run(wordCount, [bucket.uri('in/text.txt')], bucket.uri('read'));
    const { code, stdout, stderr } = await runCli(['results', id, '--coordinator', cluster.address], {
      env: minio().env(),
    });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout.split('\n').sort()).toEqual(Object.values(expected.words).join('').split('\n').sort());
  });

  test('millrace run works on S3 without a cluster', async () => {
    const args = ['-i', bucket.uri('in/*.txt'), '-o', bucket.uri('alone'), '-r', '3', '--maps', '6'];
    const { code, stderr } = await runCli(['run', wordCount, ...args], {
      env: minio().env(),
    });
    expect({ code, stderr }).toMatchObject({ code: 0 });
    expect(await bucket.parts('alone/')).toEqual(expected.words);
  });

  test('the console shows output and job folder to somebody who logs in', async ({ skip }) => {
    const { consoleEndpoint, credentials } = minio();
    if (!consoleEndpoint) return skip('MILLRACE_TEST_S3 names no console');
    const id = await run(wordCount, [bucket.uri('in/text.txt')], bucket.uri('shown'));
    const login = await fetch(`${consoleEndpoint}/api/v1/login`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ accessKey: credentials.accessKeyId, secretKey: credentials.secretAccessKey }),
    });
    expect(login.status).toBe(204);
    const cookie = login.headers
      .getSetCookie()
      .map((line) => line.split(';')[0])
      .join('; ');
    const browse = async (prefix: string) => {
      const url = `${consoleEndpoint}/api/v1/buckets/${bucket.name}/objects?prefix=${encodeURIComponent(prefix)}`;
      const answer = await fetch(url, { headers: { cookie } });
      expect(answer.status).toBe(200);
      const { objects } = (await answer.json()) as { objects: { name: string }[] | null };
      return (objects ?? []).map(({ name }) => name).sort();
    };
    expect(await browse('shown/')).toEqual((await bucket.keys('shown/')).sort());
    expect(await browse(`cluster/jobs/${id}/`)).toContain(`cluster/jobs/${id}/spec.json`);
  });
});
