import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { run } from './run.ts';

const wordCount = join(import.meta.dirname, '../examples/word-count.ts');
let folder: string;
let input: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-run-test-'));
  input = join(folder, 'in.txt');
  writeFileSync(input, 'b a b\nc b\n');
});

afterAll(() => rmSync(folder, { recursive: true }));

it('gives the records back, any number of times, when no output is named', async () => {
  const result = await run(wordCount, { input, reducers: 1, slots: 1 });
  const expected = [
    ['a', 1],
    ['b', 3],
    ['c', 1],
  ];
  for (const iterable of [result, result.result()]) {
    const records: unknown[] = [];
    for await (const record of iterable) records.push(record);
    expect(records).toEqual(expected);
  }
  expect(result.view).toMatchObject({ state: 'COMPLETED', map: { done: 1, records: 2 } });
});

it('writes the output where it was told to', async () => {
  const output = join(folder, 'out');
  await run(wordCount, { input, output, reducers: 2, slots: 1 });
  expect(readdirSync(output).sort()).toEqual(['_SUCCESS', 'part-r-00000', 'part-r-00001']);
});

it('throws what failed the job', async () => {
  await expect(run(wordCount, { input: join(folder, 'none*'), slots: 1 })).rejects.toMatchObject({
    code: 'job-failed',
    cause: { code: 'no-input' },
  });
});

it('cancels the job when the signal aborts, and leaves no output', async () => {
  const output = join(folder, 'aborted');
  const signal = AbortSignal.abort();
  await expect(run(wordCount, { input, output, signal })).rejects.toMatchObject({ code: 'cancelled' });
  expect(readdirSync(folder)).not.toContain('aborted');
});
