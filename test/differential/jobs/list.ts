/** Every value of a key, in order: shows the grouping and the stable order of the merge. */
import { defineJob, jsonl } from 'millrace';
import { fromKey, type KeyText, toKey } from '../keys.ts';

export default defineJob(import.meta, {
  name: 'differential-list',
  input: jsonl<{ key: KeyText; value: unknown }>(),
  *map(record) {
    yield [toKey(record.key), JSON.stringify(record.value)];
  },
  *reduce(key, values) {
    yield { key: fromKey(key), value: [...values] };
  },
  output: jsonl(),
});
