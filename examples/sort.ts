/** Distributed sort of 100-byte records by their first 10 bytes. The parts, one after the other, are in total order. */
import { defineJob, fixedLength, rangePartition } from 'millrace';

export default defineJob(import.meta, {
  name: 'sort',
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
