/** The jobs of the matrix, and what else happens to them beside the fault. */
import { join } from 'node:path';
import { encodeManifest } from '../../lib/success-manifest.ts';
import type { MatrixCluster } from './matrix-cluster.ts';
import type { Place } from './places.ts';

export const scenarioNames = [
  'words',
  'wide',
  'skips',
  'fails',
  'replaces',
  'leader killed',
  'worker killed',
  'drained',
  'copied',
  'folder',
] as const;
export type ScenarioName = (typeof scenarioNames)[number];

export interface Scenario {
  readonly jobFile: string;
  readonly place: 'bucket' | 'folder';
  /** At most. */
  readonly maps: number;
  readonly reducers: number;
  /** Of the command line, beside the coordinator, the input and the output. */
  readonly flags: readonly string[];
  /** Files. */
  readonly input: readonly string[];
  /** The records of the right output, sorted: by plain code. */
  readonly records: readonly string[];
  readonly counters: Readonly<Record<string, number>>;
  /** Why the job fails, however often it is disturbed; undefined when it completes. */
  readonly failure?: string;
  /** Before the job is submitted. */
  prepare?(place: Place, output: string): Promise<void>;
  /** Once some of its maps are done. Comes to nothing when the job has ended before. */
  disturb?(cluster: MatrixCluster, hasEnded: () => boolean): Promise<void>;
}

const words = join(import.meta.dirname, 'jobs/words.ts');
const lines = Array.from({ length: 600 }, (_, i) => `mill w${i % 89} ${i % 2 ? 'weir' : 'race'}`);
const text = lines.map((line) => `${line}\n`);
const texts = [0, 1, 2].map((file) => text.slice(file * 200, (file + 1) * 200).join(''));

const counts = new Map<string, number>();
for (const word of lines.flatMap((line) => line.split(' '))) counts.set(word, (counts.get(word) ?? 0) + 1);
const counted = [...counts].map(([word, count]) => `${word}\t${count}`).sort();

function wordCount(mapMs: number, more: Partial<Scenario> = {}): Scenario {
  const flags = ['--maps', '6', '-r', '3', '--param', `mapMs=${mapMs}`, ...(more.flags ?? [])];
  const counters = { lines: lines.length, words: counts.size };
  const shape = { jobFile: words, place: 'bucket', maps: 9, reducers: 3 } as const;
  return { ...shape, input: texts, records: counted, counters, ...more, flags };
}

const wideKeys = ['a', 'b', 'c'].flatMap((line) => Array.from({ length: 68 }, (_, i) => `${line}-${i}`));
const wideRecords = [
  ...wideKeys.map((key) => `${key}\t1000000`),
  ...['a', 'b', 'c'].map((key) => `few-${key}\t1`),
];

export const scenarios: Readonly<Record<ScenarioName, Scenario>> = {
  words: wordCount(50),
  wide: {
    jobFile: join(import.meta.dirname, 'jobs/wide.ts'),
    place: 'bucket',
    maps: 3,
    reducers: 2,
    flags: ['--maps', '3', '-r', '2', '--param', 'pairs=68'],
    input: ['a\n', 'b\n', 'c\n'],
    records: wideRecords.sort(),
    counters: { lines: 3, words: wideRecords.length },
  },
  skips: wordCount(50, {
    flags: ['--max-bad-records', '2'],
    input: [...texts.slice(0, 2), `unreadable\n${texts[2]}`],
  }),
  fails: wordCount(50, {
    flags: ['--param', 'failOn=weir', '--param', 'failMs=300'],
    failure: 'no more of weir',
  }),
  replaces: wordCount(50, {
    flags: ['--if-exists', 'replace'],
    async prepare(place, output) {
      await place.put(`${output}part-r-00000`, 'before\t1\n');
      await place.put(`${output}part-r-00007`, 'before\t7\n');
      await place.put(`${output}_SUCCESS`, oldManifest);
    },
  }),
  'leader killed': wordCount(250, { disturb: (cluster) => cluster.killLeader() }),
  // Its worker is to be missed and to come back before the job ends, however slow the machine is.
  'worker killed': wordCount(500, { disturb: (cluster, hasEnded) => cluster.killWorkerWithOutput(hasEnded) }),
  drained: wordCount(500, { disturb: (cluster, hasEnded) => cluster.drainWorker(hasEnded) }),
  copied: wordCount(50, { flags: ['--durability', 'sync'] }),
  folder: wordCount(50, { place: 'folder' }),
};

/** Of a job before. */
const oldManifest = encodeManifest({
  version: 2,
  jobId: 'before',
  name: 'before',
  parts: [
    { key: 'part-r-00000', bytes: 9, records: 1, crc32: 0, columns: [] },
    { key: 'part-r-00007', bytes: 9, records: 1, crc32: 0, columns: [] },
  ],
  counters: {},
  input: { records: 2, bytes: 2 },
  intermediate: { records: 2, bytes: 2 },
  output: { kind: 'tsv', compression: 'none' },
});
