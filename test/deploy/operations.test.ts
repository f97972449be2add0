/** docs/OPERATIONS.md against the program: its tables of settings and limits. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { variableOf } from '../../cli/environment.ts';
import { buildProgram } from '../../cli/program.ts';
import { limits } from '../../lib/limits.ts';
import { parseBytes, parseDurationMs } from '../../lib/units.ts';

const document = readFileSync(join(import.meta.dirname, '../../docs/OPERATIONS.md'), 'utf8');

function sectionOf(heading: string): string {
  const [, section] = document.split(new RegExp(`^#+ ${heading}$`, 'm'));
  if (section === undefined) throw new Error(`there is no section ${heading}`);
  return section.split(/^#+ /m)[0] ?? '';
}

test.each(['Coordinator', 'Worker'])('%s: every flag is in the table, and nothing else', async (heading) => {
  const name = heading.toLowerCase();
  const program = await buildProgram(name);
  const { options } = program.commands.find((command) => command.name() === name)!;
  const known = options.flatMap((option) => [option.long, variableOf(option)]);
  const rows = sectionOf(heading)
    .split('\n')
    .filter((line) => line.startsWith('| `'));
  const named = rows.flatMap((row) => row.split('|').slice(1, 3)).join(' ');
  const told = [...named.matchAll(/`([^`]+)`/g)].map(([, text]) => text);
  expect(told.sort()).toEqual(known.sort());
});

test('every limit has the value that is enforced', () => {
  const rows = [...sectionOf('Limits').matchAll(/^\|[^|]+\| `(\w+)` \| ([^|]+) \|/gm)];
  expect(rows.length).toBeGreaterThan(20);
  const told = Object.fromEntries(rows.map(([, name, value]) => [name, parseLimit(value!.trim())]));
  const enforced = Object.entries(limits).filter(([name]) => name in told);
  expect(told).toEqual(Object.fromEntries(enforced));
});

function parseLimit(text: string): number {
  if (/^[\d,]+$/.test(text)) return Number(text.replaceAll(',', ''));
  if (text.endsWith(' min')) return parseDurationMs(text.replace(' min', 'm'), text);
  return parseBytes(text.replace(' ', ''), text);
}
