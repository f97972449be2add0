/** How often each word occurs. A word is a run of the letters A to Z and a to z; case is kept. */
import { defineJob, lines, sum, tsv } from 'millrace';

export default defineJob(import.meta, {
  name: 'word-count',
  input: lines(),
  *map(line) {
    for (const word of line.split(/[^A-Za-z]+/)) if (word) yield [word, 1];
  },
  combine: sum,
  reduce: sum,
  output: tsv(),
});
