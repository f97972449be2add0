/** No map: each record is a pair already. */
import { defineJob, jsonl } from 'millrace';
import type { KeyText } from '../keys.ts';

export default defineJob(import.meta, {
  name: 'differential-identity',
  input: jsonl<readonly [KeyText, unknown]>(),
  *reduce(key, values) {
    yield { key, value: Array.from(values, (value) => JSON.stringify(value)) };
  },
  output: jsonl(),
});
