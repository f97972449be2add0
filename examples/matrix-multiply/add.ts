/** Second job of two: adds the products of each place. Output lines: `C row column value`. */
import { defineJob, jsonl, lines, type OutputOf, sum } from 'millrace';
import type multiply from './multiply.ts';

export default defineJob(import.meta, {
  name: 'matrix-multiply-sums',
  input: jsonl<OutputOf<typeof multiply>>(),
  *map(product) {
    yield product;
  },
  combine: sum,
  *reduce([row, column], products) {
    let total = 0;
    for (const product of products) total += product;
    yield `C ${row} ${column} ${total}`;
  },
  output: lines(),
});
