/** The same with no code of the user's: pairs in, pairs out. */
import { defineJob, fixedLength, rangePartition } from 'millrace';

export default defineJob(import.meta, {
  name: 'sort-built-in',
  input: fixedLength(100, { key: 10 }),
  partition: rangePartition(),
  output: fixedLength(100),
});
