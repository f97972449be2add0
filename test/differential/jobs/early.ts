/** Async, with a user-written combiner, and a reduce that leaves values unread. */
import { defineJob, jsonl } from 'millrace';
import { fromKey, type KeyText, toKey } from '../keys.ts';

export default defineJob(import.meta, {
  name: 'differential-early',
  input: jsonl<{ key: KeyText; value: unknown }>(),
  async *map(record) {
    yield [toKey(record.key), JSON.stringify(record.value)];
  },
  *combine(key, values) {
    for (const value of values) {
      yield [key, value];
      return;
    }
  },
  async *reduce(key, values) {
    for (const value of values) {
      yield { key: fromKey(key), value };
      return;
    }
  },
  output: jsonl(),
});
