/** First job of two: how often each word occurs. The second, top.ts, reads what this one writes. */
import { defineJob, jsonl, lines, sum } from 'millrace';

export default defineJob(import.meta, {
  name: 'top-k-count',
  input: lines(),
  *map(line) {
    for (const word of line.split(/[^A-Za-z]+/)) if (word) yield [word, 1];
  },
  combine: sum,
  *reduce(word, counts) {
    let total = 0;
    for (const n of counts) total += n;
    yield { word, count: total };
  },
  output: jsonl(),
});
