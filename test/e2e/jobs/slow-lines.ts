/** A map-only job that copies its lines, and takes time over each on purpose, so that a test can break something meanwhile. */
import { defineJob, lines } from 'millrace';

const pause = new Int32Array(new SharedArrayBuffer(4));

export default defineJob(import.meta, {
  name: 'slow-lines',
  params: { lineMs: 0 },
  reducers: 0,
  *map(line, ctx) {
    Atomics.wait(pause, 0, 0, ctx.params.lineMs);
    yield [line, null];
  },
  output: lines(),
});
