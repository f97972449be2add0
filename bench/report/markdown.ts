/** A report as Markdown: what docs/BENCHMARKS.md holds. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import type { Machine } from '../machine.ts';
import { figureSummary } from './figure-rows.ts';
import type { Report } from './report.ts';
import { blocks, blockTable, figureTable, omissionTable, type Table } from './tables.ts';
import { formatValue } from './values.ts';

export function machineName({ processor, cores, memoryBytes, system, node, millrace }: Machine): string {
  const memory = formatValue(memoryBytes, 'bytes');
  return `${cores} x ${processor}, ${memory} of memory, ${system}, Node ${node}, Millrace ${millrace}`;
}

export function machineText({ machine, startedAt, tookSeconds, options }: Report): string {
  return (
    `${startedAt.slice(0, 10)}, ${machineName(machine)}. ` +
    `Options: ${options === '' ? 'none' : options}. It took ${Math.round(tookSeconds / 60)} minutes.`
  );
}

export function markdown(report: Report): string {
  const peers = report.peers.map(({ title, version, name }) => `- \`${name}\`: ${title} ${version}`);
  const parts = [
    machineText(report),
    ...(report.mistakes.length > 0 ? [`**WRONG**: ${report.mistakes.join('; ')}`] : []),
    tableText(figureTable(report)),
    figureSummary(report),
    ...blocks(report).map(blockTable).map(tableText),
    ...(peers.length > 0 ? ['## Peers', peers.join('\n')] : []),
    ...(report.omissions.length > 0 ? [tableText(omissionTable(report))] : []),
  ];
  return `${parts.join('\n\n')}\n`;
}

const begin = '<!-- results -->';
const end = '<!-- end of results -->';

/** Between the marks of a file that has them, such as docs/BENCHMARKS.md; otherwise all of the file is the report. */
export function writeMarkdown(path: string, report: Report): void {
  const before = existsSync(path) ? readFileSync(path, 'utf8') : '';
  const [from, to] = [before.indexOf(begin), before.indexOf(end)];
  const hasMarks = from >= 0 && to > from;
  const text = markdown(report);
  writeFileSync(path, hasMarks ? `${before.slice(0, from)}${begin}\n\n${text}\n${before.slice(to)}` : text);
}

export function tableText({ title, heads, rows }: Table): string {
  const line = (cells: readonly string[]) => `| ${cells.map(escapeCell).join(' | ')} |`;
  const rule = `|${heads.map(() => '---').join('|')}|`;
  return [`## ${title}`, '', line(heads), rule, ...rows.map(line)].join('\n');
}

const escapeCell = (text: string) => text.replaceAll('|', '\\|').replaceAll('\n', ' ');
