/** Word count that fails in the reduce of one word: when other reduces have staged their parts already. */
import { defineJob } from 'millrace';

const pause = new Int32Array(new SharedArrayBuffer(4));

export default defineJob(import.meta, {
  name: 'fails-late',
  params: { word: '', waitMs: 0 },
  reducers: 4,
  *map(line) {
    for (const word of line.split(/\W+/)) if (word) yield [word, 1];
  },
  *reduce(word, counts, ctx) {
    if (word === ctx.params.word) {
      Atomics.wait(pause, 0, 0, ctx.params.waitMs);
      throw new Error(`no more of ${word}`);
    }
    let total = 0;
    for (const count of counts) total += count;
    yield [word, total];
  },
});
