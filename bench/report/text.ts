/** A table for a terminal. */
import type { Table } from './tables.ts';

const cellCharsMax = 60;

export function plainTable({ title, heads, rows }: Table): string {
  const all = [heads, ...rows].map((cells) => cells.map((cell) => cell.slice(0, cellCharsMax)));
  const widths = heads.map((_, column) => Math.max(...all.map((cells) => cells[column]?.length ?? 0)));
  const lines = all.map((cells) =>
    cells
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
  return [title, ...lines.map((line) => `  ${line}`)].join('\n');
}
