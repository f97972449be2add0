/** Records that cannot be mapped, in real processes: skipped into `_bad/` within the budget; a task that failed is replayed here. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeWithMinio } from '../minio/describe-with-minio.ts';
import { Bucket } from './bucket.ts';
import { runCli } from './cli-process.ts';
import { Cluster, readParts } from './cluster.ts';

const poison = join(import.meta.dirname, 'jobs/poison.ts');
let folder: string;
let input: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-bad-'));
  input = join(folder, 'in');
  mkdirSync(input);
  const lines = Array.from({ length: 300 }, (_, i) => {
    if (i === 150) return '{broken';
    return JSON.stringify(i % 100 === 7 ? { page: `p${i % 5}` } : { user: { name: 'u' }, page: `p${i % 5}` });
  });
  writeFileSync(join(input, 'visits.jsonl'), `${lines.join('\n')}\n`);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('bad records within the budget are in _bad/, and what they yielded is in no part', async () => {
  await using cluster = await Cluster.start({ workers: 2 });
  const output = join(folder, 'within');
  const options = { input, output, maps: 3, maxBadRecords: 4 };
  const view = await (await cluster.client.submit(poison, options)).wait();
  expect([view.state, view.badRecords]).toEqual(['COMPLETED', 4]);
  const counts = new Map(
    Object.values(readParts(output))
      .flatMap((part) => part.trimEnd().split('\n'))
      .map((line) => line.split('\t') as [string, string]),
  );
  expect(counts.get('user u')).toBe('296');
  const pages = [...counts].filter(([key]) => key.startsWith('page ')).map(([, count]) => Number(count));
  expect(pages.reduce((sum, count) => sum + count, 0)).toBe(296);
  const bad = readdirSync(join(output, '_bad')).map((name) =>
    readFileSync(join(output, '_bad', name), 'utf8'),
  );
  const kept = bad
    .join('')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { raw: string });
  const raw = kept.map((line) => Buffer.from(line.raw, 'base64').toString());
  expect(raw.filter((text) => text === '{"page":"p2"}')).toHaveLength(3);
  expect(raw).toContain('{broken');
  const manifest = JSON.parse(readFileSync(join(output, '_SUCCESS'), 'utf8')) as { badRecords: unknown };
  expect(manifest.badRecords).toMatchObject({ records: 4 });
});

test('over the budget the job fails with its own cause and leaves nothing; its task is replayed from the store', async () => {
  await using cluster = await Cluster.start({ workers: 1 });
  const output = join(folder, 'over');
  const options = { input, output, maps: 3, maxBadRecords: 3 };
  const handle = await cluster.client.submit(poison, options);
  const view = await handle.wait();
  expect(view.cause?.code).toBe('bad-records');
  expect(view.cause?.message).toMatch(
    /4 bad records are over the budget of 3 .*first: .*nothing is published$/,
  );
  expect(readdirSync(folder)).not.toContain('over');
  const store = `file://${join(cluster.folder, 'store')}`;
  const replayed = await runCli(['replay', handle.id, 'm0', '--store', store, '--head', '2']);
  expect(replayed.code).toBe(1);
  expect(replayed.stdout).toBe('["page p0",1]\n["user u",1]\n');
  expect(replayed.stderr).toMatch(/m0\.0 failed after 8 records and 15 pairs/);
  expect(replayed.stderr).toMatch(/at nameOf \(.*poison\.ts:26:/);
  const reduce = await runCli(['replay', handle.id, 'r0', '--store', store]);
  expect([reduce.code, reduce.stderr]).toEqual([2, expect.stringContaining('the input of r0 was not kept')]);
});

await describeWithMinio('bad records on MinIO', (minio) => {
  test('are published with the parts, and over the budget nothing is left, staged or visible', async () => {
    const bucket = await Bucket.make(minio());
    await bucket.put('in/visits.jsonl', readFileSync(join(input, 'visits.jsonl')));
    const env = minio().env();
    await using cluster = await Cluster.start({ workers: 2, store: bucket.uri('state'), env });
    const within = { input: bucket.uri('in/'), output: bucket.uri('within'), maps: 3, maxBadRecords: '2%' };
    const view = await (await cluster.client.submit(poison, within)).wait();
    expect([view.state, view.badRecords]).toEqual(['COMPLETED', 4]);
    const { badRecords } = await bucket.json('within/_SUCCESS');
    const bad = (badRecords as { parts: { key: string; records: number }[] }).parts;
    expect(bad.reduce((sum, part) => sum + part.records, 0)).toBe(4);
    expect(await bucket.keys('within/_bad/')).toEqual(bad.map(({ key }) => `within/${key}`));

    const over = { ...within, output: bucket.uri('over'), maxBadRecords: 3 };
    const failed = await (await cluster.client.submit(poison, over)).wait();
    expect(failed.cause?.code).toBe('bad-records');
    expect(await bucket.keys('over/')).toEqual([]);
    expect(await bucket.pending([0, 1, 2].map((map) => `over/_bad/part-m-0000${map}.jsonl`))).toEqual([]);
  });
});
