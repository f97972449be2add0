/**
 * Random jobs against a sequential oracle: keys of all types, unicode, empty and large values, skew, any M and R.
 * A program of its own, `node test/differential/random-jobs.ts [--runs N] [--seed N]`: a test runner that intercepts imports
 * would spend its time on the thousands of fresh copies of job modules.
 */
import assert from 'node:assert/strict';
import { parseArgs } from 'node:util';
import fc from 'fast-check';
import type { Key } from '../../lib/codec/key-codec.ts';
import { runInline } from '../../sdk/testing.ts';
import count from './jobs/count.ts';
import early from './jobs/early.ts';
import fold from './jobs/fold.ts';
import identity from './jobs/identity.ts';
import list from './jobs/list.ts';
import sum from './jobs/sum.ts';
import { fromKey, type KeyText } from './keys.ts';

interface Row {
  readonly key: KeyText;
  readonly value: unknown;
}

/** The 30-line sequential oracle: the values of each key in input order, then what the job makes of them. */
const finish: Record<string, (values: unknown[]) => unknown> = {
  sum: (values) => (values as number[]).reduce((a, b) => a + b, 0),
  count: (values) => values.length,
  list: (values) => values.map((value) => JSON.stringify(value)),
  identity: (values) => values.map((value) => JSON.stringify(value)),
  fold: (values) => values.map((value) => JSON.stringify(value)),
  early: (values) => JSON.stringify(values[0]),
};
const jobs = { sum, count, list, identity, fold, early };
type JobName = keyof typeof jobs;

function oracle(name: JobName, rows: readonly Row[]): Map<string, unknown> {
  const groups = new Map<string, unknown[]>();
  for (const { key, value } of rows) {
    const text = JSON.stringify(normal(key));
    groups.set(text, [...(groups.get(text) ?? []), value]);
  }
  return new Map([...groups].map(([key, values]) => [key, finish[name]!(values)]));
}

/** -0 and 0 are one key. */
function normal(key: KeyText): KeyText {
  if (key[0] === 'number') return ['number', key[1] + 0];
  if (key[0] === 'tuple') return ['tuple', key[1].map(normal)];
  return key;
}

function compareKeys(a: KeyText, b: KeyText): number {
  if (a[0] === 'tuple' && b[0] === 'tuple') {
    for (const [i, part] of a[1].entries()) {
      if (i >= b[1].length) return 1;
      // Between types the order is the codec's own; here only that it exists.
      if (part[0] !== b[1][i]![0]) return 0;
      const order = compareKeys(part, b[1][i]!);
      if (order !== 0) return order;
    }
    return a[1].length - b[1].length;
  }
  if (a[0] === 'string' && b[0] === 'string') return Buffer.compare(Buffer.from(a[1]), Buffer.from(b[1]));
  if (a[0] === 'bytes' && b[0] === 'bytes') return Buffer.compare(Buffer.from(a[1]), Buffer.from(b[1]));
  const left = a[0] === 'bigint' ? BigInt(a[1]) : (a[1] as number);
  const right = b[0] === 'bigint' ? BigInt(b[1]) : (b[1] as number);
  return left < right ? -1 : left > right ? 1 : 0;
}

const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 12 }),
  fc.constantFrom('', 'a', 'ab', 'a\u0000', '\u{10000}', '\uffff'),
);
const scalarKey: fc.Arbitrary<KeyText> = fc.oneof(
  fc.tuple(fc.constant('string' as const), text),
  fc.tuple(
    fc.constant('number' as const),
    fc.oneof(fc.integer(), fc.double({ noNaN: true, noDefaultInfinity: true })),
  ),
  fc.tuple(fc.constant('boolean' as const), fc.boolean()),
  fc.tuple(fc.constant('bigint' as const), fc.bigInt({ min: -(2n ** 90n), max: 2n ** 90n }).map(String)),
  fc.tuple(fc.constant('bytes' as const), fc.array(fc.integer({ min: 0, max: 255 }), { maxLength: 10 })),
);
const anyKey = fc.oneof(
  { weight: 4, arbitrary: scalarKey },
  { weight: 1, arbitrary: fc.tuple(fc.constant('tuple' as const), fc.array(scalarKey, { maxLength: 3 })) },
);
const anyValue = fc.oneof(
  fc.jsonValue({ maxDepth: 2 }),
  fc.constant(''),
  fc.integer({ min: 0, max: 20_000 }).map((n) => 'x'.repeat(n)),
);

type RandomJob = typeof randomJob extends fc.Arbitrary<infer T> ? T : never;
const randomJob = fc.record({
  name: fc.constantFrom(...(Object.keys(jobs) as JobName[])),
  // Few distinct keys make groups, and one of them takes most rows: skew.
  keys: fc.array(anyKey, { minLength: 1, maxLength: 8 }),
  picks: fc.array(fc.tuple(fc.nat(15), anyValue, fc.integer({ min: -1e6, max: 1e6 })), { maxLength: 40 }),
  maps: fc.integer({ min: 1, max: 5 }),
  reducers: fc.integer({ min: 1, max: 20 }),
});

async function check({ name, keys, picks, maps, reducers }: RandomJob): Promise<void> {
  const rows: Row[] = picks.map(([pick, value, number]) => ({
    key: keys[pick < keys.length ? pick : 0]!,
    value: name === 'sum' ? number : value,
  }));
  const records = name === 'identity' ? rows.map(({ key, value }) => [key, value]) : rows;
  const { partitions } = await runInline(jobs[name] as typeof jobs.list, { records, maps, reducers });
  // Without a map the key is the text of a key itself, a tuple in its own order.
  const keyOf = ({ key }: Row): KeyText => (name === 'identity' ? fromKey(key as Key) : key);
  const found = new Map<string, unknown>();
  for (const partition of partitions as Row[][]) {
    for (const [i, row] of partition.entries()) {
      const before = partition[i - 1];
      if (before && keyOf(before)[0] === keyOf(row)[0])
        assert(compareKeys(keyOf(before), keyOf(row)) <= 0, 'keys ascend');
      found.set(JSON.stringify(normal(row.key)), row.value);
    }
  }
  assert.equal(partitions.flat().length, found.size, 'each key once');
  assert.deepEqual(found, oracle(name, rows));
}

const { values } = parseArgs({
  options: { runs: { type: 'string', default: '500' }, seed: { type: 'string' } },
});
let ran = 0;
const property = fc.asyncProperty(randomJob, async (job) => {
  await check(job);
  ran++;
});
await fc.assert(property, {
  numRuns: Number(values.runs),
  ...(values.seed !== undefined && { seed: Number(values.seed) }),
});
console.log(`${ran} random jobs equal the sequential oracle`);
