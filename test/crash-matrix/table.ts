/** The result of a run of the matrix, in Markdown. */
import { type Cell, cellName } from './cells.ts';
import type { CellResult, Failure } from './matrix.ts';

export interface RunFacts {
  /** The day, and what was built. */
  readonly date: string;
  readonly commit: string;
  readonly minutes: number;
}

/** One row per kind of fault, then what was not simply completed. */
export function summaryOf(results: readonly CellResult[], { date, commit, minutes }: RunFacts): string {
  const held = results.filter(({ problems }) => problems.length === 0).length;
  const actions = [...new Set(results.map(({ cell }) => cell.action))];
  const rows = actions.map((action) => rowOf(action, results));
  const ends = results.filter(({ outcome }) => outcome !== 'COMPLETED');
  const missed = results.filter(({ tries }) => tries > 1);
  return [
    `Crash matrix, ${date}, commit ${commit}: ${held} of ${results.length} cells hold, ${minutes.toFixed(1)} min.`,
    '',
    '| fault | cells | hold | completed | failed cleanly | asked again | map reruns | seconds, median | longest |',
    '|---|---|---|---|---|---|---|---|---|',
    ...rows,
    '',
    `Cells that did not end with a completed job: ${listed(ends, ({ outcome }) => outcome)}`,
    `Cells that were run again because nobody got to their failpoint: ${listed(missed, ({ tries }) => `${tries} times`)}`,
  ].join('\n');
}

/** A failed cell in full: the command that repeats it, what is wrong, what everybody logged. */
export function failureText({ result, logs }: Failure): string {
  const { cell, outcome, role, problems } = result;
  return [
    `## ${cellName(cell)} (${cell.scenario}, in ${role || 'nobody'}): ${outcome}`,
    `npm run test:crash-matrix -- --cell ${cellName(cell)}`,
    ...problems.map((problem) => `- ${problem}`),
    '```',
    logs,
    '```',
  ].join('\n');
}

export function lineOf(result: CellResult): string {
  const { cell, outcome, refusals, role, seconds, mapReruns, tries, problems } = result;
  const verdict = problems.length === 0 ? 'ok  ' : 'FAIL';
  const counts = `asked ${refusals + 1}x, ${mapReruns} reruns, ${seconds.toFixed(1)} s`;
  const facts = `${outcome}, ${counts}, in ${role || 'nobody'}${tries > 1 ? `, at try ${tries}` : ''}`;
  return [`${verdict} ${cellName(cell)}: ${facts}`, ...problems].join('\n     ');
}

function rowOf(action: Cell['action'], all: readonly CellResult[]): string {
  const results = all.filter(({ cell }) => cell.action === action);
  const held = results.filter(({ problems }) => problems.length === 0);
  const completed = held.filter(({ outcome }) => outcome === 'COMPLETED');
  const seconds = results.map((result) => result.seconds).sort((a, b) => a - b);
  const median = seconds[Math.floor(seconds.length / 2)] ?? 0;
  return `| ${[
    action,
    results.length,
    held.length,
    completed.length,
    held.length - completed.length,
    sumOf(results, ({ refusals }) => refusals),
    sumOf(results, ({ mapReruns }) => mapReruns),
    median.toFixed(1),
    (seconds.at(-1) ?? 0).toFixed(1),
  ].join(' | ')} |`;
}

function sumOf(results: readonly CellResult[], count: (result: CellResult) => number): number {
  return results.reduce((sum, result) => sum + count(result), 0);
}

function listed(results: readonly CellResult[], what: (result: CellResult) => string): string {
  const texts = results.map((result) => `\`${cellName(result.cell)}\` ${what(result)}`);
  return texts.length === 0 ? 'none.' : `${texts.join('; ')}.`;
}
