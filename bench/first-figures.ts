/**
 * The first figures of a change, in a few minutes: word count and sort against the plain scripts one would write instead, start-up,
 * and memory in the two cases that break naive engines. `npm run bench:first [-- SIZE [RUNS]]`, by default 200MB and 3.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { formatBytes, parseBytes } from '../lib/units.ts';
import { type GeneratedKind, generate } from './generate.ts';
import { type Measured, measure, summary } from './measure.ts';

const root = join(import.meta.dirname, '..');
const cli = join(root, 'dist/cli/main.js');
const keysOfMemoryCases = 5_000_000;
const startUpRuns = 5;

interface Comparison {
  readonly name: string;
  readonly input: GeneratedKind;
  readonly job: string;
  readonly peer: string;
  /** A pipeline that reads the parts and must print what the peer wrote. */
  readonly whole: string;
}

const comparisons: readonly Comparison[] = [
  {
    name: 'word count',
    input: 'zipf',
    job: 'examples/word-count.ts',
    peer: 'bench/peers/plain/word-count.mjs',
    whole: 'sort',
  },
  {
    name: 'sort',
    input: 'records',
    job: 'examples/sort.ts',
    peer: 'bench/peers/plain/sort.mjs',
    whole: 'cat',
  },
];

class Figures implements Disposable {
  readonly #folder = mkdtempSync(join(tmpdir(), 'millrace-figures-'));
  #outputs = 0;

  [Symbol.dispose](): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }

  input(kind: GeneratedKind, size: number): string {
    const path = join(this.#folder, kind);
    generate(kind, size, path);
    return path;
  }

  /** Runs a job with two slots and returns what it took and where its output is. */
  async job(
    file: string,
    input: string,
    flags: readonly string[] = [],
  ): Promise<Measured & { output: string }> {
    const output = join(this.#folder, `out-${this.#outputs++}`);
    const args = ['run', join(root, file), '-i', input, '-o', output, '--slots', '2', ...flags];
    return { ...(await measure(process.execPath, [cli, ...args])), output };
  }

  async compare(comparison: Comparison, bytes: number, runs: number): Promise<void> {
    const input = this.input(comparison.input, bytes);
    const peerOutput = join(this.#folder, 'peer-output');
    const ours: Measured[] = [];
    const peers: Measured[] = [];
    for (let run = 0; run < runs; run++) {
      const job = await this.job(comparison.job, input);
      ours.push(job);
      peers.push(await measure(process.execPath, [join(root, comparison.peer), input, peerOutput]));
      assertSame(comparison, job.output, peerOutput);
      rmSync(job.output, { recursive: true });
    }
    rmSync(peerOutput);
    rmSync(input);
    const ratios = ours.map(({ wallMs }, run) => (peers[run]?.wallMs ?? Number.NaN) / wallMs);
    console.log(`\n${comparison.name} of ${formatBytes(bytes)} (${runs} runs, interleaved; outputs equal)`);
    print('millrace run, 2 slots', ours, bytes);
    print(comparison.peer, peers, bytes);
    const { median, min, max } = summary(ratios);
    console.log(`  times as fast:  ${median.toFixed(2)} (${min.toFixed(2)} to ${max.toFixed(2)})`);
  }

  async startUp(): Promise<void> {
    const input = join(this.#folder, 'small.txt');
    writeFileSync(input, 'one small file\n');
    const jobs: number[] = [];
    const bare: number[] = [];
    for (let run = 0; run < startUpRuns; run++) {
      jobs.push((await this.job('examples/word-count.ts', input)).wallMs);
      bare.push((await measure(process.execPath, ['-e', '0'])).wallMs);
    }
    const { median, min, max } = summary(jobs.map((ms, run) => ms - (bare[run] ?? 0)));
    console.log(`\nstart-up: a job of one small file takes ${Math.round(median)} ms more than node -e 0`);
    console.log(`  ${Math.round(min)} to ${Math.round(max)} ms in ${startUpRuns} runs`);
  }

  async memory(kind: 'one-key' | 'distinct-keys'): Promise<void> {
    const input = this.input(kind, keysOfMemoryCases);
    const flags = ['--slot-memory', '256MiB', '-r', '2'];
    const { wallMs, peakBytes, output } = await this.job(`bench/jobs/${kind}.ts`, input, flags);
    const lines = Number(
      execFileSync('bash', ['--norc', '-c', `cat ${output}/part-r-* | wc -l`], { encoding: 'utf8' }),
    );
    if (lines !== (kind === 'one-key' ? 1 : keysOfMemoryCases))
      throw new Error(`${kind} gave ${lines} lines`);
    console.log(`\n${kind}: ${keysOfMemoryCases} values, 2 slots of 256 MiB`);
    console.log(`  peak memory ${formatBytes(peakBytes)} in ${(wallMs / 1000).toFixed(1)} s`);
    rmSync(output, { recursive: true });
    rmSync(input);
  }
}

function print(who: string, measured: readonly Measured[], bytes: number): void {
  const wall = summary(measured.map(({ wallMs }) => wallMs / 1000));
  const peak = summary(measured.map(({ peakBytes }) => peakBytes));
  const rate = bytes / 1e6 / wall.median;
  console.log(
    `  ${who.padEnd(34)} ${wall.median.toFixed(2)} s (${wall.min.toFixed(2)} to ${wall.max.toFixed(2)}), ` +
      `${rate.toFixed(0)} MB/s, peak memory ${formatBytes(peak.max)}`,
  );
}

function assertSame({ name, whole }: Comparison, output: string, peerOutput: string): void {
  const parts = readdirSync(output).filter((part) => part.startsWith('part-r-'));
  if (parts.length === 0) throw new Error(`${name} wrote no parts to ${output}`);
  const pipeline = `${whole} ${output}/part-r-* | cmp - ${peerOutput}`;
  execFileSync('bash', ['--norc', '-c', `set -o pipefail; ${pipeline}`], {
    env: { PATH: process.env.PATH, LC_ALL: 'C' },
    stdio: 'inherit',
  });
}

const [size = '200MB', runs = '3'] = process.argv.slice(2);
const bytes = parseBytes(size, 'SIZE');
console.log(`Node ${process.version}, ${cpus().length} x ${cpus()[0]?.model ?? 'unknown processor'}`);
using figures = new Figures();
for (const comparison of comparisons) await figures.compare(comparison, bytes, Number(runs));
await figures.startUp();
await figures.memory('one-key');
await figures.memory('distinct-keys');
