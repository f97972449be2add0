/**
 * The benchmark: `npm run bench -- OPTIONS`, or `millrace bench OPTIONS` in a checkout; `--help` lists the options. Exit code 1 when an answer was wrong, a
 * run of ours failed, or `--compare` found a regression; 2 for options that cannot be.
 */
import { writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { MillraceError } from '../lib/errors.ts';
import { parseBytes, parseDurationMs } from '../lib/units.ts';
import { experiments } from './experiments/experiments.ts';
import { peers } from './peers/peers.ts';
import { compareReports } from './report/compare.ts';
import { html } from './report/html.ts';
import { machineText, writeMarkdown } from './report/markdown.ts';
import { type Report, readReport } from './report/report.ts';
import { blocks, blockTable, changeTable, figureTable, omissionTable } from './report/tables.ts';
import { plainTable } from './report/text.ts';
import { runBenchmark } from './run-benchmark.ts';
import { scenarios } from './scenarios/scenarios.ts';

interface Flags {
  readonly scenarios?: string;
  readonly peers?: string;
  readonly runs: number;
  readonly slowRuns: number;
  readonly size: string;
  readonly slots: number;
  readonly warmUp?: boolean;
  readonly budget?: string;
  readonly data: string;
  readonly seed: number;
  readonly from?: string;
  readonly json?: string;
  readonly html?: string;
  readonly markdown?: string;
  readonly compare?: string;
}

const usageExitCode = 2;

function wholeNumber(least: number) {
  return (text: string): number => {
    const value = Number(text);
    if (Number.isSafeInteger(value) && value >= least) return value;
    throw new InvalidArgumentError(`Expected a whole number of at least ${least}.`);
  };
}

function defineOptions(): Command {
  return new Command('bench')
    .description('Measures Millrace beside other systems, and prints every figure that is to be reached.')
    .option(
      '--scenarios <NAMES>',
      `some of ${[...scenarios, ...experiments].map(({ name }) => name).join(', ')} (default: all)`,
    )
    .option(
      '--peers <NAMES>',
      `some of ${peers.map(({ name }) => name).join(', ')}; or all, or none (default: the best of them)`,
    )
    .option('--size <SIZES>', 'of the input', '200MB')
    .option('--runs <N>', 'of ours, of fast peers and of experiments', wholeNumber(1), 3)
    .option('--slow-runs <N>', 'of peers that take many times as long', wholeNumber(0), 1)
    .option('--slots <N>', 'tasks at once, and threads of peers', wholeNumber(1), availableParallelism())
    .option('--warm-up', 'everybody runs once more, before what counts')
    .option('--budget <TIME>', 'leaves out, and says so, what would end later: 25m')
    .option(
      '--data <DIR>',
      'where generated input is kept for the next time',
      join(tmpdir(), 'millrace-bench'),
    )
    .option('--seed <N>', 'of the input', wholeNumber(1), 1)
    .option('--from <FILE>', 'measures nothing: shows the report that --json wrote')
    .option('--json <FILE>', 'writes the report with all samples')
    .option('--html <FILE>', 'writes it as a page with plots')
    .option('--markdown <FILE>', 'writes it as Markdown; between the marks of a file that has them')
    .option(
      '--compare <FILE>',
      'an earlier report: exit code 1 when something is worse by more than the noise',
    )
    .allowExcessArguments(false);
}

/** The ones of these names, in their own order. Throws `invalid-argument` for a name that there is not. */
function pick<T extends { readonly name: string }>(
  all: readonly T[],
  wanted: readonly string[] | undefined,
): T[] {
  return all.filter(({ name }) => wanted === undefined || wanted.includes(name));
}

function namesOf(text: string | undefined, what: string, known: readonly string[]): string[] | undefined {
  const names = text?.split(',').map((name) => name.trim());
  const unknown = names?.find((name) => !known.includes(name));
  if (unknown === undefined) return names;
  throw new MillraceError(
    'invalid-argument',
    `${what}: there is no ${unknown}; there are ${known.join(', ')}`,
  );
}

function wantedPeers(text: string | undefined) {
  if (text === undefined) return peers.filter(({ isDefault }) => isDefault);
  if (text === 'all') return peers;
  return text === 'none'
    ? []
    : pick(
        peers,
        namesOf(
          text,
          '--peers',
          peers.map(({ name }) => name),
        ),
      );
}

async function obtain(flags: Flags, text: string): Promise<Report> {
  if (flags.from !== undefined) return readReport(flags.from);
  const known = [...scenarios, ...experiments].map(({ name }) => name);
  const wanted = namesOf(flags.scenarios, '--scenarios', known);
  return runBenchmark({
    scenarios: pick(scenarios, wanted),
    experiments: pick(experiments, wanted),
    peers: wantedPeers(flags.peers),
    sizes: flags.size.split(',').map((size) => parseBytes(size, '--size')),
    runs: flags.runs,
    slowRuns: flags.slowRuns,
    slots: flags.slots,
    warmUp: flags.warmUp === true,
    budgetMs: flags.budget === undefined ? undefined : parseDurationMs(flags.budget, '--budget'),
    dataFolder: flags.data,
    seed: flags.seed,
    text,
    say: (line) => console.error(line),
  });
}

function show(report: Report): void {
  console.log(machineText(report));
  const tables = [...blocks(report).map(blockTable), omissionTable(report), figureTable(report)];
  for (const table of tables) if (table.rows.length > 0) console.log(`\n${plainTable(table)}`);
  for (const mistake of report.mistakes) console.log(`\nWRONG: ${mistake}`);
}

/** Whether nothing is worse. */
function isAsGood(before: Report, after: Report): boolean {
  const changes = compareReports(before, after);
  const worse = changes.filter(({ verdict }) => verdict === 'worse');
  console.log(`\n${plainTable(changeTable(changes.filter(({ verdict }) => verdict !== 'same')))}`);
  console.log(`${changes.length} results compared, ${worse.length} worse`);
  return worse.length === 0;
}

/** Runs a benchmark, prints and writes what was asked for, and returns the exit code. */
export async function bench(args: readonly string[]): Promise<number> {
  const flags = defineOptions()
    .parse([...args], { from: 'user' })
    .opts<Flags>();
  const before = flags.compare === undefined ? undefined : readReport(flags.compare);
  const report = await obtain(flags, args.join(' '));
  show(report);
  if (flags.json !== undefined) writeFileSync(flags.json, `${JSON.stringify(report, null, 1)}\n`);
  if (flags.html !== undefined) writeFileSync(flags.html, html(report));
  if (flags.markdown !== undefined) writeMarkdown(flags.markdown, report);
  const isFine = report.mistakes.length === 0 && (before === undefined || isAsGood(before, report));
  return isFine ? 0 : 1;
}

if (import.meta.main) {
  try {
    process.exitCode = await bench(process.argv.slice(2));
  } catch (thrown) {
    if (!(thrown instanceof MillraceError) || thrown.code !== 'invalid-argument') throw thrown;
    console.error(thrown.message);
    process.exitCode = usageExitCode;
  }
}
