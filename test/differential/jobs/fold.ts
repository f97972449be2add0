/** A fold as combiner and a custom partition; the order of merging shows in the text. */
import { defineJob, fold, jsonl } from 'millrace';
import { fromKey, type KeyText, toKey } from '../keys.ts';

export default defineJob(import.meta, {
  name: 'differential-fold',
  input: jsonl<{ key: KeyText; value: unknown }>(),
  *map(record) {
    yield [toKey(record.key), [JSON.stringify(record.value)]];
  },
  combine: fold<string[]>((a, b) => [...a, ...b]),
  *reduce(key, values) {
    yield { key: fromKey(key), value: [...values].flat() };
  },
  partition: (key, partitions) => JSON.stringify(fromKey(key)).length % partitions,
  output: jsonl(),
});
