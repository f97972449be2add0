/** The figures that Millrace is to reach: what must be, and what is aimed at. Each report prints every row, reached, missed or not measured. */

export interface Figure {
  readonly id: FigureId;
  readonly what: string;
  /** What it is a ratio to, empty for absolute ones. */
  readonly against: string;
  readonly unit: 'x' | 's' | 'bytes' | 'tasks/s';
  readonly better: 'lower' | 'higher';
  readonly must: number;
  /** Undefined where only the other one is set. */
  readonly aim: number | undefined;
}

interface Row extends Omit<Figure, 'id' | 'aim' | 'against' | 'unit' | 'better'> {
  readonly against?: string;
  readonly unit?: Figure['unit'];
  readonly better?: Figure['better'];
  readonly aim?: number;
}

const wordCount = 'word count';
const builtIns = `${wordCount}, built-in operators`;
const generator = `${wordCount}, user map with yield`;
const callback = `${wordCount}, user map with a callback`;
const totalSort = 'total-order sort of 100-byte records';
const grep = 'grep, user TypeScript';

const rows = {
  'word-count/built-in/duckdb': { what: builtIns, against: 'DuckDB', must: 1, aim: 0.7 },
  'word-count/generator/duckdb': { what: generator, against: 'DuckDB', must: 2.4, aim: 1.8 },
  'word-count/generator/spark': { what: generator, against: 'Spark RDD', must: 0.3, aim: 0.2 },
  'word-count/generator/pyspark': { what: generator, against: 'PySpark RDD', must: 0.15 },
  'word-count/generator/hadoop': { what: generator, against: 'Hadoop', must: 0.25 },
  'word-count/callback/duckdb': { what: callback, against: 'DuckDB', must: 1.8, aim: 1.3 },
  'sort/gnu': { what: totalSort, against: 'GNU sort --parallel=2', must: 1.1, aim: 0.8 },
  'sort/duckdb': { what: totalSort, against: 'DuckDB', must: 1.5, aim: 1 },
  'sort/spark': { what: totalSort, against: 'Spark RDD', must: 0.25 },
  'sort/hadoop': { what: totalSort, against: 'Hadoop', must: 0.35 },
  'grep/gnu': { what: grep, against: 'grep -c', must: 6, aim: 3 },
  'grep/spark': { what: grep, against: 'Spark RDD', must: 0.5 },
  'start-up/run': { what: 'start-up of a trivial job, millrace run', unit: 's', must: 0.6, aim: 0.35 },
  'start-up/submit': { what: 'the same, submit to a warm cluster', unit: 's', must: 0.3, aim: 0.1 },
  'speed-up/slots': { what: 'speed-up from 1 to 2 slots on 2 cores', better: 'higher', must: 1.8, aim: 1.9 },
  'speed-up/workers': {
    what: 'speed-up from 1 to 8 workers of 0.2 CPU each',
    better: 'higher',
    must: 6.5,
    aim: 7.2,
  },
  memory: { what: 'peak memory at 1 GB, whole tree on 2 slots', unit: 'bytes', must: 1e9, aim: 600e6 },
  'stream/plain': {
    what: 'shuffle of one stream',
    against: 'node:http2',
    better: 'higher',
    must: 0.5,
    aim: 0.8,
  },
  'stream/mtls': {
    what: 'shuffle of one stream, mTLS',
    against: 'node:http2 with mTLS',
    better: 'higher',
    must: 0.5,
    aim: 0.8,
  },
  'coordinator/tasks': {
    what: 'no-op tasks through the coordinator, 1 core',
    unit: 'tasks/s',
    better: 'higher',
    must: 5_000,
    aim: 20_000,
  },
  'slow-worker': {
    what: 'one 10x-slow worker of 8, backups on',
    against: 'no slow worker',
    must: 1.15,
    aim: 1.08,
  },
  'killed/sort': { what: '11.5 % of workers killed mid-sort', against: 'none killed', must: 1.1, aim: 1.05 },
  'killed/word-count': {
    what: 'one of two workers killed mid word count and restarted',
    against: 'none killed',
    must: 1.2,
    aim: 1.1,
  },
} satisfies Record<string, Row>;

export type FigureId = keyof typeof rows;

export const figures: readonly Figure[] = Object.entries<Row>(rows).map(
  ([id, { against = '', unit = 'x', better = 'lower', aim, what, must }]) => ({
    id: id as FigureId,
    what,
    against,
    unit,
    better,
    must,
    aim,
  }),
);
