/** Memory case: one key with all the values, which a reduce must stream. Input lines: `key value`. */
import { defineJob } from 'millrace';

export default defineJob(import.meta, {
  name: 'one-key',
  *map(line) {
    const [key = '', value = ''] = line.split(' ');
    yield [key, value];
  },
  *reduce(key, values) {
    let count = 0;
    for (const _ of values) count++;
    yield [key, count];
  },
});
