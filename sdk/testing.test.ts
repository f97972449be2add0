import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import wordCount from '../examples/word-count.ts';
import type { Job } from './job-types.ts';
import { checkCombiner, createTestCluster, runInline } from './testing.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-testing-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** A job file written for one test; only its path matters to what is tested. */
function jobFile(name: string, source: string): string {
  const path = join(folder, `${name}.ts`);
  writeFileSync(
    path,
    `import * as m from 'millrace';\nexport default m.defineJob(import.meta, { name: '${name}', ${source} });\n`,
  );
  return path;
}

async function jobOf(path: string): Promise<Job> {
  return { ...(wordCount as unknown as Job), source: pathToFileURL(path).href };
}

describe('runInline', () => {
  test('gives typed records, one array per partition, the bytes of the parts, and counters', async () => {
    const result = await runInline(wordCount, { records: ['a b a', '', 'c a'], reducers: 3 });
    const counts: (readonly [string, number])[] = result.output;
    expect(new Map(counts)).toEqual(
      new Map([
        ['a', 3],
        ['b', 1],
        ['c', 1],
      ]),
    );
    expect(result.partitions).toHaveLength(3);
    expect(result.partitions.flat()).toEqual(result.output);
    expect(Object.keys(result.parts)).toEqual(['part-r-00000', 'part-r-00001', 'part-r-00002']);
    expect(Buffer.concat(Object.values(result.parts)).toString()).toContain('a\t3\n');
  });

  test.each([
    ['csv()', [{ id: '1', text: 'say "hi",\nthere' }], { id: '1', text: 'say "hi",\nthere' }],
    ['jsonl()', [{ a: [1, null] }], { a: [1, null] }],
    ['wholeFile()', ['two\nlines'], 'two\nlines'],
    ['words()', ['mañana'], 'mañana'],
    ['words({ separatedBy: "whitespace" })', ["it's"], "it's"],
    ['fixedLength(3, { key: 1 })', [[Uint8Array.of(7), Uint8Array.of(8, 9)]], [7, 8, 9]],
    ['fixedLength(3)', [Uint8Array.of(7, 8, 9)], [7, 8, 9]],
  ])('feeds records through %s as map will get them', async (format, records, expected) => {
    const show = format.startsWith('fixed') ? '[record].flat().flatMap((bytes) => [...bytes])' : 'record';
    const job = jobFile(
      'formats',
      `input: m.${format}, output: m.jsonl(), *map(record) { yield ['k', JSON.stringify(${show})]; }`,
    );
    const { output } = await runInline(job, { records });
    expect(JSON.parse((output[0] as [string, string])[1])).toEqual(expected);
  });

  test('state at module level does not leak from task to task', async () => {
    const path = join(folder, 'leak.ts');
    writeFileSync(
      path,
      "import { defineJob } from 'millrace';\nlet seen = 0;\nexport default defineJob(import.meta, { name: 'leak', *map(line) { yield [line, ++seen]; } });\n",
    );
    const { output } = await runInline(path, { records: ['a', 'b', 'c', 'd'], maps: 4 });
    expect((output as [string, number][]).map(([, seen]) => seen)).toEqual([1, 1, 1, 1]);
  });

  test('an exception of the job is thrown with the task, the message and the line of the user', async () => {
    const job = jobFile(
      'throws',
      "*map(line) { if (line === 'bad') throw new TypeError('no ' + line); yield [line, 1]; }",
    );
    const failing = runInline(job, { records: ['good', 'bad'] });
    await expect(failing).rejects.toThrow(/task m1: TypeError: no bad[\s\S]*throws\.ts:2:/);
  });

  test('map-only, params and logs', async () => {
    const job = jobFile(
      'only',
      "params: { add: 1 }, *map(line, ctx) { ctx.log('saw', line); ctx.counter('n').add(); yield [line, Number(line) + ctx.params.add]; }",
    );
    const result = await runInline(job, { records: ['1', '2'], reducers: 0, params: { add: 10 } });
    expect(result.output).toEqual([
      ['1', 11],
      ['2', 12],
    ]);
    expect(Object.keys(result.parts)[0]).toBe('part-m-00000');
    expect(result.logs).toEqual(['saw 1', 'saw 2']);
    expect(result.counters).toEqual({ n: 2 });
  });
});

describe('checkCombiner', () => {
  test('passes a combiner that may be applied anywhere', async () => {
    await checkCombiner(wordCount as unknown as Job, [['a b', 'a', 'b a c'], []]);
  });

  test('shows what differs for one that may not', async () => {
    const mean =
      'function* mean(key, values) { const all = [...values]; yield [key, all.reduce((a, b) => a + b) / all.length]; }';
    const path = jobFile('mean', "*map(line) { yield ['k', Number(line)]; }, combine: mean, reduce: mean");
    writeFileSync(path, `${mean}\n${(await import('node:fs')).readFileSync(path, 'utf8')}`);
    await expect(checkCombiner(await jobOf(path), [['1', '2', '9']])).rejects.toThrow(
      /combiner .* changes the result: sample 0/,
    );
  });
});

test('a test cluster runs jobs, goes on when a worker is killed, and takes new ones', async () => {
  await using cluster = await createTestCluster({ workers: 2, heartbeatTimeout: '1s' });
  const input = join(folder, 'input.txt');
  writeFileSync(input, 'a b a\n'.repeat(100));
  const submit = (name: string) =>
    cluster.client.submit(wordCount, { input: [input], output: join(folder, name), maps: 4 });
  const records: (readonly [string, number])[] = [];
  for await (const record of (await submit('first')).result()) records.push(record);
  expect(new Map(records)).toEqual(
    new Map([
      ['a', 200],
      ['b', 100],
    ]),
  );
  await cluster.kill(cluster.workers[0]!);
  expect(cluster.workers).toHaveLength(1);
  expect((await (await submit('second')).wait()).state).toBe('COMPLETED');
  await cluster.addWorker();
  expect((await (await submit('third')).wait()).state).toBe('COMPLETED');
});
