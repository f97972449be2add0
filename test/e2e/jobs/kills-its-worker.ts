/** User code that ends the whole process at once, as a native crash would. */
import { defineJob } from 'millrace';

export default defineJob(import.meta, {
  name: 'kills-its-worker',
  reducers: 1,
  *map(line) {
    if (line === 'deadly') process.kill(process.pid, 'SIGKILL');
    yield [line, 1];
  },
});
