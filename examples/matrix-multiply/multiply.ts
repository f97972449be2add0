/** First job of two: every product A[i][k] * B[k][j] of the sum that is C[i][j]. Input lines: `A row column value`, `B row column value`. */
import { defineJob, jsonl, lines } from 'millrace';

interface Entry {
  matrix: 'A' | 'B';
  /** Of A the row, of B the column; the other index is the key. */
  index: number;
  value: number;
}

type Product = [place: [row: number, column: number], value: number];

export default defineJob(import.meta, {
  name: 'matrix-multiply-products',
  input: lines(),
  *map(line): Iterable<[number, Entry]> {
    const [matrix, ...numbers] = line.split(' ');
    const [row = 0, column = 0, value = 0] = numbers.map(Number);
    if (matrix === 'A') yield [column, { matrix, index: row, value }];
    else if (matrix === 'B') yield [row, { matrix, index: column, value }];
    else throw new Error(`expected a line that starts with A or B, got ${line}`);
  },
  *reduce(_k, entries): Iterable<Product> {
    const all = [...entries];
    const ofB = all.filter(({ matrix }) => matrix === 'B');
    for (const a of all.filter(({ matrix }) => matrix === 'A'))
      for (const b of ofB) yield [[a.index, b.index], a.value * b.value];
  },
  output: jsonl(),
});
