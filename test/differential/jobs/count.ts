/** Counts, combined and reduced by the built-in, from a callback map. */
import { count, defineJob, type Emit, jsonl, type Key } from 'millrace';
import { fromKey, type KeyText, toKey } from '../keys.ts';

export default defineJob(import.meta, {
  name: 'differential-count',
  input: jsonl<{ key: KeyText; value: unknown }>(),
  mapEmit(record, emit: Emit<Key, number>) {
    emit(toKey(record.key), 1);
  },
  combine: count,
  *reduce(key, values) {
    let total = 0;
    for (const value of values) total += value;
    yield { key: fromKey(key), value: total };
  },
  output: jsonl(),
});
