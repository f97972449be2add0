/** The result of a run of the matrix, in Markdown. */
import { type Cell, cellName } from './cells.ts';
import type { Failure } from './matrix.ts';
import type { CellResult } from './run-cell.ts';

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
  return [
    `Crash matrix, ${date}, commit ${commit}: ${held} of ${results.length} cells hold, ${minutes.toFixed(1)} min.`,
    '',
    '| fault | cells | hold | completed | failed cleanly | asked again | map reruns | seconds, median | longest |',
    '|---|---|---|---|---|---|---|---|---|',
    ...rows,
    '',
    `Cells that did not end with a completed job: ${listed(ends)}`,
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

export function lineOf({ cell, outcome, refusals, role, seconds, mapReruns, problems }: CellResult): string {
  const verdict = problems.length === 0 ? 'ok  ' : 'FAIL';
  const facts = `${outcome}, asked ${refusals + 1}x, ${mapReruns} reruns, ${seconds.toFixed(1)} s, in ${role || 'nobody'}`;
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

function listed(results: readonly CellResult[]): string {
  const texts = results.map(({ cell, outcome }) => `\`${cellName(cell)}\` ${outcome}`);
  return texts.length === 0 ? 'none.' : `${texts.join('; ')}.`;
}
