/** How many lines have the pattern in them. */
import { defineJob, lines, sum } from 'millrace';
import { grepPattern } from '../scenarios/scenario-name.ts';

export default defineJob(import.meta, {
  name: 'grep',
  *map(line) {
    if (line.includes(grepPattern)) yield ['lines', 1];
  },
  combine: sum,
  *reduce(_key, counts) {
    let total = 0;
    for (const count of counts) total += count;
    yield String(total);
  },
  output: lines(),
});
