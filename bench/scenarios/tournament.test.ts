import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { Budget } from '../budget.ts';
import { scenarios } from './scenarios.ts';
import { ours, type Subject } from './subject.ts';
import { Tournament } from './tournament.ts';
import { tournamentFindings } from './tournament-findings.ts';

const folder = mkdtempSync(join(tmpdir(), 'millrace-tournament-'));
afterAll(() => rmSync(folder, { recursive: true }));

const scenario = scenarios.find(({ name }) => name === 'word-count')!;
const input = join(folder, 'input');
writeFileSync(input, 'b a\na b\na\n');
const right = 'a\t3\nb\t2\n';

/** Writes this, after it has told that it ran. */
function fake(name: string, answer: string, isSlow = false): Subject {
  const script = `const fs = require('node:fs'); const [output, log, name] = process.argv.slice(1);
    fs.appendFileSync(log, name + ' '); fs.writeFileSync(output, ${JSON.stringify(answer)});`;
  return {
    name,
    isOurs: false,
    isSlow,
    command: ({ output }) => ({
      program: process.execPath,
      args: ['-e', script, output, join(folder, 'log'), name],
    }),
  };
}

function tournament(subjects: readonly Subject[], budget = new Budget(undefined)) {
  const said: string[] = [];
  const setting = {
    scenario,
    bytes: 10,
    input,
    threads: 1,
    folder,
    budget,
    say: (line: string) => said.push(line),
  };
  return { it: new Tournament(setting, subjects), said };
}
const namesOf = (said: readonly string[]) => said.map((line) => line.trim().split(' ')[0]);
const all = () => true;

describe('Tournament', () => {
  it('runs everybody who is wanted once a round, another one first each time', async () => {
    const { it: run, said } = tournament([fake('p', right), fake('q', 'b\t2\na\t3'), fake('r', right, true)]);
    for (let round = 0; round < 2; round++) await run.round(round, ({ isSlow }) => !isSlow);
    await run.round(2, ({ isSlow }) => isSlow);
    expect(namesOf(said)).toEqual(['p', 'q', 'q', 'p', 'r']);
    expect(run.samples.map(({ runs }) => runs.length)).toEqual([2, 2, 1]);
    expect(run.mistakes).toEqual([]);
  });

  it('fails for an answer that is not that of the others, and has no sample of it', async () => {
    const { it: run } = tournament([fake('p', right), fake('q', 'a\t3\nb\t1\n')]);
    await run.round(0, all);
    expect(run.mistakes).toEqual(['word-count of 10 bytes by q: the answer is not that of p']);
    expect(run.samples[1]!.runs).toEqual([]);
    await run.round(1, all);
    expect(run.samples.map(({ runs }) => runs.length)).toEqual([2, 0]);
  });

  it('leaves out a peer that fails, with what it said, and goes on', async () => {
    const broken = {
      ...fake('broken', ''),
      command: () => ({ program: process.execPath, args: ['-e', 'throw "no memory"'] }),
    };
    const { it: run } = tournament([broken, fake('p', right)]);
    await run.round(0, all);
    expect(run.mistakes).toEqual([]);
    const { results, omissions } = tournamentFindings(run);
    expect(new Set(results.map(({ subject }) => subject))).toEqual(new Set(['p']));
    const why = expect.stringContaining('no memory');
    expect(omissions).toEqual([{ group: 'word-count, 10 B', subject: 'broken', why }]);
  });

  it('divides by the runs of the same rounds', () => {
    const { it: run } = tournament([
      { ...fake('millrace, generator', right), isOurs: true },
      fake('duckdb', right),
      fake('spark', right, true),
    ]);
    const ran = (subject: number, round: number, wallMs: number) =>
      run.samples[subject]!.runs.push({ round, wallMs, cpuSeconds: 1, peakBytes: 1, stdout: '' });
    for (const [round, wallMs] of [1000, 2000, 6000].entries()) ran(0, round, wallMs);
    for (const [round, wallMs] of [1000, 4000].entries()) ran(1, round, wallMs);
    ran(2, 2, 3000);
    expect(tournamentFindings(run).figures).toEqual([
      { figure: 'word-count/generator/duckdb', of: '10 B', samples: [1, 0.5] },
      { figure: 'word-count/generator/spark', of: '10 B', samples: [2] },
    ]);
  });

  it('begins nothing that would end after the budget, and says so', async () => {
    const { it: run } = tournament([fake('p', right)], new Budget(0));
    await run.round(0, all);
    expect(run.samples[0]!.runs).toEqual([]);
    expect(run.omissions).toEqual([
      { group: 'word-count, 10 B', subject: 'p', why: 'after 0 runs no time was left (--budget)' },
    ]);
  });

  it('measures a real job of ours beside another program, with what it shuffled and its calls', async () => {
    const { it: run } = tournament([
      ours(scenario.variants[0]!),
      { ...fake('duckdb', right), isOurs: false },
    ]);
    await run.countRpcs();
    await run.round(0, all);
    expect(run.mistakes).toEqual([]);
    const { results, figures } = tournamentFindings(run);
    const samples = (metric: string) => results.find((result) => result.metric === metric)?.samples[0] ?? 0;
    expect(samples('wall time')).toBeGreaterThan(0);
    expect(samples('bytes shuffled')).toBeGreaterThan(0);
    expect(samples('RPCs')).toBeGreaterThan(0);
    expect(figures).toEqual([
      { figure: 'word-count/generator/duckdb', of: '10 B', samples: [expect.any(Number)] },
    ]);
  });
});
