/** More pairs than a map can sort at once and than a reduce can hold in memory: each line becomes so many values of a megabyte, for one reduce. */
import { defineJob } from 'millrace';

export default defineJob(import.meta, {
  name: 'crash-wide',
  params: { pairs: 0 },
  partition: (key) => (String(key).startsWith('few') ? 1 : 0),
  *map(line, ctx) {
    ctx.counter('lines').add(1);
    const value = 'x'.repeat(1_000_000);
    for (let i = 0; i < ctx.params.pairs; i++) yield [`${line}-${i}`, value];
    yield [`few-${line}`, line];
  },
  *reduce(key, values, ctx) {
    ctx.counter('words').add(1);
    for (const value of values) yield [key, value.length];
  },
});
