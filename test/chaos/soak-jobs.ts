/** The jobs of the soak: the examples and larger ones of their kinds, in a bucket, and what coreutils and awk make of the same input. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type GeneratedKind, generate } from '../../bench/generate.ts';
import type { Bucket } from '../e2e/bucket.ts';
import { ask, type ExampleRun, exampleRuns, examples } from '../e2e/example-oracles.ts';
import { type Parts, plainCount, plainText } from './count-job.ts';

export interface SoakJob {
  readonly name: string;
  readonly file: string;
  /** URI of the input. */
  readonly input: string;
  readonly params: Readonly<Record<string, string | number>>;
  readonly reducers: number;
  /** One of them, or neither. */
  readonly size: { readonly splitSize?: number; readonly maps?: number };
  /** Whether these parts have the lines that they should, in their order where it matters. */
  isRight(parts: Parts): boolean;
}

const inputs = 'in/';
const largeBytes = 12_000_000;

/** Puts their input into the bucket. */
export async function prepareSoakJobs(bucket: Bucket): Promise<SoakJob[]> {
  await putFolder(bucket, join(examples, 'data'), inputs);
  const small = exampleRuns.filter(({ after }) => after === undefined).map((run) => exampleJob(bucket, run));
  await bucket.put(`${inputs}count.txt`, plainText);
  const slow: SoakJob = {
    name: 'slow-word-count',
    file: join(import.meta.dirname, '../e2e/jobs/slow-word-count.ts'),
    input: bucket.uri(`${inputs}count.txt`),
    params: { mapMs: 500, reduceMs: 50 },
    reducers: 4,
    size: { maps: 16 },
    isRight: compareWith(plainCount().join('\n'), { ordered: false }),
  };
  const words = String.raw`tr -cs 'A-Za-z' '\n' < FILE | grep . | sort | uniq -c | awk '{ print $2 "\t" $1 }'`;
  const large = [
    await largeJob(bucket, 'sort', 'records', 'sort -s -k1.1,1.10 FILE'),
    await largeJob(bucket, 'word-count', 'zipf', words),
  ];
  return [...small, slow, ...large];
}

function exampleJob(bucket: Bucket, run: ExampleRun): SoakJob {
  const { name, params = {}, reducers, splitBytes, ordered = false, oracle } = run;
  const prefix = bucket.uri(inputs);
  return {
    name,
    file: join(examples, `${name}.ts`),
    input: `${prefix}${run.input}`,
    params,
    reducers,
    size: { splitSize: splitBytes },
    isRight: compareWith(ask(oracle), { ordered, without: prefix }),
  };
}

/** An example on generated input; the oracle reads it from FILE. */
async function largeJob(
  bucket: Bucket,
  example: string,
  kind: GeneratedKind,
  oracle: string,
): Promise<SoakJob> {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-soak-'));
  try {
    const path = join(folder, kind);
    generate(kind, largeBytes, path);
    await bucket.put(`${inputs}large-${kind}`, readFileSync(path));
    const expected = execFileSync(
      'bash',
      ['--norc', '-c', `set -o pipefail; ${oracle.replace('FILE', path)}`],
      {
        encoding: 'latin1',
        env: { PATH: process.env.PATH, LC_ALL: 'C' },
        maxBuffer: 4 * largeBytes,
      },
    );
    return {
      name: `large ${example}`,
      file: join(examples, `${example}.ts`),
      input: bucket.uri(`${inputs}large-${kind}`),
      params: {},
      reducers: 5,
      size: { maps: 12 },
      isRight: compareWith(expected, { ordered: example === 'sort' }),
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** `without`: what the job has before each path and the oracle has not. */
function compareWith(expected: string, { ordered, without }: { ordered: boolean; without?: string }) {
  const digest = (text: string) => {
    const lines = text.trimEnd().split('\n');
    return createHash('sha256')
      .update((ordered ? lines : lines.sort()).join('\n'))
      .digest('hex');
  };
  const wanted = digest(expected);
  return (parts: Parts) => {
    const text = Object.values(parts).join('');
    return digest(without === undefined ? text : text.replaceAll(without, '')) === wanted;
  };
}

async function putFolder(bucket: Bucket, folder: string, prefix: string): Promise<void> {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) await putFolder(bucket, path, `${prefix}${entry.name}/`);
    else await bucket.put(`${prefix}${entry.name}`, readFileSync(path));
  }
}
