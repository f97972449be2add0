/**
 * Distributed sort of 100-byte records by their first 10 bytes. The parts, one after the other, are in total order. With neither map nor
 * reduce the records stay bytes from the input to the parts.
 */
import { defineJob, fixedLength, rangePartition } from 'millrace';

export default defineJob(import.meta, {
  name: 'sort',
  input: fixedLength(100, { key: 10 }),
  partition: rangePartition(),
  output: fixedLength(100),
});
