/** Every map task sleeps as long as its record says, in milliseconds. */
import { defineJob } from 'millrace';

const pause = new Int32Array(new SharedArrayBuffer(4));

export default defineJob(import.meta, {
  name: 'sleepers',
  reducers: 1,
  *map(line, ctx) {
    ctx.counter('runs').add();
    Atomics.wait(pause, 0, 0, Number(line));
    yield [line, 1];
  },
});
