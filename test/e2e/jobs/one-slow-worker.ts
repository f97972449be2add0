/** A job that is slow on the worker process whose environment says so. */
import { defineJob, sum } from 'millrace';

const pause = new Int32Array(new SharedArrayBuffer(4));

export default defineJob(import.meta, {
  name: 'one-slow-worker',
  reducers: 2,
  *map(line, ctx) {
    ctx.counter('lines').add();
    if (process.env.TEST_SLOW) ctx.counter('lines on the slow worker').add();
    Atomics.wait(pause, 0, 0, process.env.TEST_SLOW ? 4_000 : 20);
    yield [line.slice(0, 1), 1];
  },
  reduce: sum,
});
