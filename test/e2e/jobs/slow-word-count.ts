/** Word count whose tasks take time on purpose, so that a test can break something meanwhile, and leave a note of each attempt. */
import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { defineJob, sum } from 'millrace';

const pause = new Int32Array(new SharedArrayBuffer(4));

export default defineJob(import.meta, {
  name: 'slow-word-count',
  // Milliseconds that a map task waits at its first record, and a reduce for every key.
  // In the folder `notes`, if it is named, each attempt that user code begins on makes a file `m3.UUID` or `r1.UUID`.
  params: { mapMs: 0, reduceMs: 0, notes: '' },
  reducers: 6,
  setup(ctx) {
    ctx.log(`${ctx.task} begins`);
    if (ctx.params.notes) writeFileSync(join(ctx.params.notes, `${ctx.task}.${randomUUID()}`), '');
    if (ctx.task.startsWith('m')) Atomics.wait(pause, 0, 0, ctx.params.mapMs);
  },
  *map(line) {
    for (const word of line.split(/[^A-Za-z]+/)) if (word) yield [word, 1];
  },
  combine: sum,
  *reduce(word, counts, ctx) {
    Atomics.wait(pause, 0, 0, ctx.params.reduceMs);
    let total = 0;
    for (const count of counts) total += count;
    yield [word, total];
  },
});
