/** Every line becomes pairs of a given size, so that a test knows how much a map leaves on its worker's disk. */
import { existsSync } from 'node:fs';
import { defineJob } from 'millrace';

const pause = new Int32Array(new SharedArrayBuffer(4));

export default defineJob(import.meta, {
  name: 'wide-pairs',
  // `until`: a file that each reduce waits for before it ends.
  params: { pairsPerLine: 1, bytesPerPair: 1_000, until: '' },
  reducers: 1,
  *map(line, ctx) {
    const value = 'x'.repeat(ctx.params.bytesPerPair);
    for (let i = 0; i < ctx.params.pairsPerLine; i++) yield [`${line}-${i}`, value];
  },
  *reduce(key, values, ctx) {
    while (ctx.params.until !== '' && !existsSync(ctx.params.until)) Atomics.wait(pause, 0, 0, 10);
    for (const value of values) yield [key, value.length];
  },
});
