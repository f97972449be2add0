/** Word count with a counter, slow on demand, so that there is a middle of a job; some records may be bad, and one word may fail its reduce. */
import { defineJob, sum } from 'millrace';

const pause = new Int32Array(new SharedArrayBuffer(4));

export default defineJob(import.meta, {
  name: 'crash-words',
  // Milliseconds of each map; the word whose reduce throws, after the milliseconds in which others stage their parts.
  params: { mapMs: 0, failOn: '', failMs: 0 },
  setup(ctx) {
    if (ctx.task.startsWith('m')) Atomics.wait(pause, 0, 0, ctx.params.mapMs);
  },
  *map(line, ctx) {
    if (line === 'unreadable') throw new Error('a line that cannot be read');
    ctx.counter('lines').add(1);
    for (const word of line.split(' ')) yield [word, 1];
  },
  combine: sum,
  *reduce(word, counts, ctx) {
    ctx.counter('words').add(1);
    if (word === ctx.params.failOn) {
      Atomics.wait(pause, 0, 0, ctx.params.failMs);
      throw new Error(`no more of ${word}`);
    }
    let total = 0;
    for (const count of counts) total += count;
    yield [word, total];
  },
});
