/** What `defineJob` infers. Compiled by compile.test.ts under both compilers, never run. */
import {
  count,
  csv,
  defineJob,
  type Emit,
  first,
  fixedLength,
  fold,
  hashPartition,
  type Job,
  jsonl,
  lines,
  max,
  min,
  type OutputOf,
  rangePartition,
  sum,
  topK,
  tsv,
  wholeFile,
  words,
} from 'millrace';
import { exactly, outputs } from './expect.ts';

type NoParams = Readonly<Record<never, never>>;
interface Hit {
  path: string;
  ms: number;
  note?: string;
}

const wordCount = defineJob(import.meta, {
  name: 'word-count',
  input: lines(),
  *map(line) {
    for (const word of line.split(/[^A-Za-z]+/)) if (word) yield [word, 1];
  },
  combine: sum,
  reduce: sum,
  output: tsv(),
});
exactly<Job<string, string, number, readonly [string, number], NoParams>>()(wordCount);

const noInput = defineJob(import.meta, {
  name: 'lines are the default',
  *map(line) {
    exactly<string>()(line);
    yield [line.length, line];
  },
});
exactly<Job<string, number, string, readonly [number, string], NoParams>>()(noInput);

const p99 = defineJob(import.meta, {
  name: 'p99',
  input: jsonl<Hit>(),
  params: { needle: '', least: 10, verbose: true },
  *map(hit, ctx) {
    exactly<Hit>()(hit);
    exactly<{ readonly needle: string; readonly least: number; readonly verbose: boolean }>()(ctx.params);
    if (hit.ms >= ctx.params.least) yield [hit.path, hit.ms];
  },
  *combine(path, values) {
    for (const value of values) yield [path, value];
  },
  *reduce(path, values, ctx) {
    exactly<string>()(path);
    exactly<Iterable<number>>()(values);
    ctx.counter('paths').add();
    const all = [...values].sort((a, b) => a - b);
    yield { path, n: all.length, p99: all[Math.floor(all.length * 0.99)] ?? 0 };
  },
  setup(ctx) {
    ctx.log(ctx.params.needle, ctx.task, ctx.attempt, ctx.source.uri, ctx.signal.aborted);
  },
  async teardown(ctx) {
    ctx.log(ctx.params.verbose);
  },
  reducers: 4,
  splitSize: '16MiB',
});
outputs<{ path: string; n: number; p99: number }>()(p99);

const emitted = defineJob(import.meta, {
  name: 'emit',
  mapEmit(line, emit: Emit<string, number>, ctx) {
    emit(line, line.length);
    ctx.counter('lines').add(1);
  },
  combine: sum,
  *reduce(key, values) {
    for (const value of values) yield `${key}=${value.toFixed()}`;
  },
});
exactly<Job<string, string, number, string, NoParams>>()(emitted);

const emittedOnly = defineJob(import.meta, {
  name: 'emit',
  async mapEmit(_line, emit: Emit<readonly [string, number], { a: string }>) {
    emit(['a', 1], { a: '' });
  },
});
outputs<readonly [readonly [string, number], { a: string }]>()(emittedOnly);

const counted = defineJob(import.meta, {
  name: 'count counts values of any type, and combines them when the reduce counts as well',
  *map(line) {
    yield [line, line];
  },
  combine: count,
  reduce: count,
});
outputs<readonly [string, number]>()(counted);

const countedThenSummed = defineJob(import.meta, {
  name: 'partial counts may be summed',
  *map(line) {
    yield [line, 1];
  },
  combine: count,
  reduce: sum,
});
outputs<readonly [string, number]>()(countedThenSummed);

const extremes = {
  min: defineJob(import.meta, {
    name: 'min',
    *map(line) {
      yield [line, 1n];
    },
    combine: min,
    reduce: min,
  }),
  max: defineJob(import.meta, {
    name: 'max',
    *map(line) {
      yield [line, line];
    },
    reduce: max,
  }),
  first: defineJob(import.meta, {
    name: 'first',
    *map(line) {
      yield [line, { line }];
    },
    combine: first,
    reduce: first,
  }),
  sumOfLiterals: defineJob(import.meta, {
    name: 's',
    *map(line) {
      yield [line, line ? 1 : 2] as const;
    },
    reduce: sum,
  }),
  sumOfBigints: defineJob(import.meta, {
    name: 's',
    *map(line) {
      yield [line, BigInt(line)];
    },
    reduce: sum,
  }),
};
outputs<readonly [string, bigint]>()(extremes.min);
outputs<readonly [string, string]>()(extremes.max);
outputs<readonly [string, { line: string }]>()(extremes.first);
outputs<readonly [string, number]>()(extremes.sumOfLiterals);
outputs<readonly [string, bigint]>()(extremes.sumOfBigints);

interface Vector {
  [term: string]: number;
}
const folded = defineJob(import.meta, {
  name: 'fold',
  *map(line) {
    const vector: Vector = { [line]: 1 };
    yield [line, vector];
  },
  combine: fold<Vector>((a, b) => ({ ...a, ...b })),
  reduce: fold<Vector>((a, b) => ({ ...a, ...b })),
});
outputs<readonly [string, Vector]>()(folded);

const asynchronous = defineJob(import.meta, {
  name: 'async',
  input: wholeFile(),
  async *map(text) {
    await Promise.resolve();
    yield [text, text.length];
  },
  async *reduce(key, values) {
    for (const value of values) yield { key, value: await Promise.resolve(value) };
  },
});
outputs<{ key: string; value: number }>()(asynchronous);

const tagged = defineJob(import.meta, {
  name: 'several yields make a union',
  *map(line) {
    yield [line, { kind: 'click', n: 1 } as const];
    yield [line, { kind: 'view' } as const];
  },
  *reduce(_key, values) {
    for (const value of values) if (value.kind === 'click') yield value.n;
  },
});
outputs<1>()(tagged);

const tupleKeys = defineJob(import.meta, {
  name: 'matrix',
  input: csv({ header: false, quotedNewlines: false }),
  *map(row) {
    exactly<string[]>()(row);
    yield [[1, row[0] ?? ''] as const, { cells: row, at: new Date(), raw: new Uint8Array(2), left: null }];
  },
  partition: (key, partitions) => hashPartition(key[0], partitions),
  *reduce(key) {
    exactly<readonly [1, string]>()(key);
    yield key[1];
  },
  output: lines({ compression: 'gzip' }),
});
outputs<string>()(tupleKeys);

const sorted = defineJob(import.meta, {
  name: 'sort',
  input: fixedLength(100),
  *map(record) {
    yield [record.subarray(0, 10), record.subarray(10)];
  },
  partition: rangePartition(),
  output: fixedLength(100),
});
declare function recordOf<R>(job: Job<R>): R;
exactly<Uint8Array>()(recordOf(sorted));

const hashed = defineJob(import.meta, {
  name: 'csv rows by header',
  input: csv({ delimiter: ';' }),
  *map(row) {
    exactly<Record<string, string>>()(row);
    yield [row.id ?? '', row];
  },
  partition: hashPartition,
  output: jsonl({ compression: 'zstd' }),
});

const unknownRecords = defineJob(import.meta, {
  name: 'jsonl without a type',
  input: jsonl(),
  *map(record) {
    exactly<unknown>()(record);
    yield [String(record), record];
  },
});

const optional = defineJob(import.meta, {
  name: 'interfaces with optional properties, nested, are values',
  input: jsonl<{ hit: Hit; hits?: readonly Hit[] }>(),
  *map(record) {
    yield [record.hit.path, record];
  },
});

const nothingYielded = defineJob(import.meta, {
  name: 'a reduce that only counts',
  *map(line) {
    yield [line, 1];
  },
  // biome-ignore lint/correctness/useYield: the case
  *reduce(_key, _values, ctx) {
    ctx.counter('keys').add();
  },
});
outputs<never>()(nothingYielded);

const linesThemselves = defineJob(import.meta, {
  name: 'without a map a record is the key of nothing',
  input: lines(),
  *reduce(key, values) {
    exactly<string>()(key);
    exactly<Iterable<null>>()(values);
    yield key.length;
  },
});
exactly<Job<string, string, null, number, NoParams>>()(linesThemselves);

const pairsThemselves = defineJob(import.meta, {
  name: 'without a map a record that is a pair is that pair',
  input: jsonl<[string, number]>(),
  combine: sum,
  reduce: sum,
});
exactly<Job<[string, number], string, number, readonly [string, number], NoParams>>()(pairsThemselves);

const counts = defineJob(import.meta, { name: 'no map', input: words(), combine: count, reduce: count });
exactly<Job<string, string, null, readonly [string, number], NoParams>>()(counts);

const sortedByKey = defineJob(import.meta, {
  name: 'fixed records with a key are pairs of bytes',
  input: fixedLength(100, { key: 10 }),
  partition: rangePartition(),
  output: fixedLength(100),
});
outputs<readonly [Uint8Array, Uint8Array]>()(sortedByKey);

const mappedPairs = defineJob(import.meta, {
  name: 'which a map may take apart',
  input: fixedLength(100, { key: 10 }),
  *map([key, rest]) {
    yield [key[0] ?? 0, rest.length];
  },
  reduce: sum,
});
outputs<readonly [number, number]>()(mappedPairs);

const best = defineJob(import.meta, {
  name: 'top',
  input: words({ separatedBy: 'whitespace' }),
  *map(word) {
    yield [word.length, word];
  },
  combine: topK(3),
  reduce: topK(3),
});
outputs<readonly [number, readonly string[]]>()(best);

const partition = (key: number, partitions: number) => key % partitions;
const annotatedElsewhere = defineJob(import.meta, {
  name: 'functions that need no inference of their own fit the pairs of map',
  *map(line) {
    yield [line.length, line];
  },
  partition,
  reduce: topK(2),
});
outputs<readonly [number, readonly string[]]>()(annotatedElsewhere);

const countedLines = defineJob(import.meta, { name: 'lines are the default', combine: count, reduce: count });
outputs<readonly [string, number]>()(countedLines);

const rowsThemselves = defineJob(import.meta, {
  name: 'a row of unknown length may be a pair',
  input: csv({ header: false }),
  *reduce(key, values) {
    exactly<string | string[]>()(key);
    exactly<Iterable<string | null>>()(values);
    yield '';
  },
});

/** Every job fits where any job is taken. */
export const all: Job[] = [wordCount, p99, emitted, counted, tupleKeys, sorted, nothingYielded, hashed];
export const more: Job[] = [
  counts,
  sortedByKey,
  mappedPairs,
  best,
  annotatedElsewhere,
  unknownRecords,
  optional,
  linesThemselves,
  pairsThemselves,
  countedLines,
  rowsThemselves,
];

declare const row: OutputOf<typeof p99>;
exactly<{ path: string; n: number; p99: number }>()(row);
