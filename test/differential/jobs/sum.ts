/** Sums with a built-in combiner; the reduce is user code. */
import { defineJob, jsonl, sum } from 'millrace';
import { fromKey, type KeyText, toKey } from '../keys.ts';

export default defineJob(import.meta, {
  name: 'differential-sum',
  input: jsonl<{ key: KeyText; value: number }>(),
  *map(record) {
    yield [toKey(record.key), record.value];
  },
  combine: sum,
  *reduce(key, values) {
    let total = 0;
    for (const value of values) total += value;
    yield { key: fromKey(key), value: total };
  },
  output: jsonl(),
});
