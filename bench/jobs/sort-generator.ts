/** Records of 100 bytes by their first 10, with functions of the user's. */
import { defineJob, fixedLength, rangePartition } from 'millrace';

export default defineJob(import.meta, {
  name: 'sort-generator',
  input: fixedLength(100),
  *map(record) {
    yield [record.subarray(0, 10), record];
  },
  partition: rangePartition(),
  *reduce(_key, records) {
    yield* records;
  },
  output: fixedLength(100),
});
