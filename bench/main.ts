/**
 * The benchmark: `npm run bench -- OPTIONS`, or `millrace bench OPTIONS` in a checkout; `--help` lists the options. Exit code 1 when an answer was wrong, a
 * run of ours failed, or `--compare` found a regression; 2 for options that cannot be.
 */
import { writeFileSync } from 'node:fs';
import { MillraceError } from '../lib/errors.ts';
import { type Flags, parseFlags } from './flags.ts';
import { plan } from './plan.ts';
import { killIfThere, processTree } from './process-tree.ts';
import { compareReports } from './report/compare.ts';
import { figureSummary } from './report/figure-rows.ts';
import { html } from './report/html.ts';
import { machineText, writeMarkdown } from './report/markdown.ts';
import { mergeReports } from './report/merge.ts';
import { type Report, readReport } from './report/report.ts';
import { blocks, blockTable, changeTable, figureTable, omissionTable } from './report/tables.ts';
import { plainTable } from './report/text.ts';
import { runBenchmark } from './run-benchmark.ts';

const usageExitCode = 2;

/** What was measured so far is written after each part: an hour of measuring is not lost with its last minute. */
async function obtain(flags: Flags, text: string): Promise<Report> {
  if (flags.from !== undefined) return mergeReports(flags.from.split(',').map(readReport));
  const reports: Report[] = [];
  for (const part of plan(flags, text)) {
    reports.push(await runBenchmark(part));
    writeJson(flags, mergeReports(reports));
  }
  return mergeReports(reports);
}

function writeJson({ json }: Flags, report: Report): void {
  if (json !== undefined) writeFileSync(json, `${JSON.stringify(report, null, 1)}\n`);
}

function show(report: Report): void {
  console.log(machineText(report));
  const tables = [...blocks(report).map(blockTable), omissionTable(report), figureTable(report)];
  for (const table of tables) if (table.rows.length > 0) console.log(`\n${plainTable(table)}`);
  console.log(`\n${figureSummary(report)}`);
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
async function bench(args: readonly string[]): Promise<number> {
  const flags = parseFlags(args);
  const before = flags.compare === undefined ? undefined : readReport(flags.compare);
  const report = await obtain(flags, args.join(' '));
  show(report);
  writeJson(flags, report);
  if (flags.html !== undefined) writeFileSync(flags.html, html(report));
  if (flags.markdown !== undefined) writeMarkdown(flags.markdown, report);
  const isFine = report.mistakes.length === 0 && (before === undefined || isAsGood(before, report));
  return isFine ? 0 : 1;
}

/** Whoever ends the benchmark ends all that it started; what it wrote to folders goes as the process exits. */
function endWithAll(exitCode: number): never {
  for (const pid of processTree(process.pid).slice(1)) killIfThere(pid);
  process.exit(exitCode);
}

for (const [signal, exitCode] of Object.entries({ SIGINT: 130, SIGTERM: 143 }))
  process.once(signal, () => endWithAll(exitCode));

try {
  process.exitCode = await bench(process.argv.slice(2));
} catch (thrown) {
  if (!(thrown instanceof MillraceError) || thrown.code !== 'invalid-argument') throw thrown;
  console.error(thrown.message);
  process.exitCode = usageExitCode;
}
