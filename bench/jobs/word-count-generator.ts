/** Words as users count them: a generator that yields a pair for each. */
import { defineJob, sum } from 'millrace';

export default defineJob(import.meta, {
  name: 'word-count-generator',
  *map(line) {
    for (const word of line.split(' ')) yield [word, 1];
  },
  combine: sum,
  reduce: sum,
});
