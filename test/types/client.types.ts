/** What the client and run() know of a job's output records. Compiled by compile.test.ts under both compilers, never run. */
import { connect, defineJob, run, sum } from 'millrace';
import { exactly } from './expect.ts';

const counts = defineJob(import.meta, {
  name: 'counts',
  *map(line) {
    yield [line, 1];
  },
  reduce: sum,
});

const rows = defineJob(import.meta, {
  name: 'rows',
  *map(line) {
    yield [line, 1];
  },
  *reduce(key, values) {
    yield { key, n: [...values].length };
  },
});

export async function results(): Promise<void> {
  const result = await run(counts, { input: 'x' });
  for await (const [word, n] of result) {
    exactly<string>()(word);
    exactly<number>()(n);
  }
  await using client = connect();
  const handle = await client.submit(rows, { input: 'x', output: 'y' });
  for await (const row of handle.result()) exactly<{ key: string; n: number }>()(row);
  const ofFile = await client.submit('job.ts', { input: 'x', output: 'y' });
  for await (const record of ofFile.result()) exactly<unknown>()(record);
  // @ts-expect-error a job on a cluster needs an output
  await client.submit(rows, { input: 'x' });
  await client.submit(rows, { input: 'x', output: 'y', maxBadRecords: 10 });
  await run(rows, { input: 'x', maxBadRecords: '0.1%' });
  // @ts-expect-error a number of records, or a share as text
  await run(rows, { input: 'x', maxBadRecords: true });
}
