/** Memory case: as many keys as lines, which a combiner cannot make fewer. Input lines: `key 1`. */
import { defineJob, sum } from 'millrace';

export default defineJob(import.meta, {
  name: 'distinct-keys',
  *map(line) {
    const [key = '', value = ''] = line.split(' ');
    yield [key, Number(value)];
  },
  combine: sum,
  reduce: sum,
});
