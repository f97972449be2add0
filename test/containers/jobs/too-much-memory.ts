/** A job that takes more memory than there is: on the heap, where the worker sees it, or beside the heap, where only the kernel does. */
import { defineJob } from 'millrace';

const kept: unknown[] = [];

export default defineJob(import.meta, {
  name: 'too-much-memory',
  params: { where: 'heap' },
  reducers: 1,
  *map(line, ctx) {
    for (;;) {
      if (ctx.params.where === 'heap') for (let i = 0; i < 10_000; i++) kept.push({ line, i });
      else kept.push(Buffer.alloc(8 * 1024 * 1024, 1));
      yield [line, kept.length];
    }
  },
  *reduce(line, lengths) {
    for (const length of lengths) yield [line, length];
  },
});
