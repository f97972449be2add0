/** Columns by hand. Cells are plain text; paint a finished line. */

/** One line per row, the cells padded to the widest of their column, two spaces between; numbers to the right. */
export function renderTable(
  head: readonly string[],
  rows: readonly (readonly (string | number)[])[],
): string[] {
  const lines = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...lines.map((line) => String(line[column] ?? '').length)));
  return lines.map((line) =>
    line
      .map((cell, column) => {
        const rightward = typeof (rows[0]?.[column] ?? '') === 'number';
        const text = String(cell);
        return rightward ? text.padStart(widths[column] ?? 0) : text.padEnd(widths[column] ?? 0);
      })
      .join('  ')
      .trimEnd(),
  );
}

/** 1234567 as 1,234,567. */
export function formatCount(count: number): string {
  // Intl would do, but to load it takes longer than all else that a small job prints.
  return String(Math.round(count)).replace(/\B(?=(\d{3})+$)/g, ',');
}
