/** The same with the callback form, which costs no generator. */
import { defineJob, type Emit, sum } from 'millrace';

export default defineJob(import.meta, {
  name: 'word-count-callback',
  mapEmit(line, emit: Emit<string, number>) {
    for (const word of line.split(' ')) emit(word, 1);
  },
  combine: sum,
  reduce: sum,
});
