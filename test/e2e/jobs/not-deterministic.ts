/** A job whose maps make something else at each attempt, which its output shows: for every key the names of the attempts it came from. */
import { randomUUID } from 'node:crypto';
import { defineJob } from 'millrace';

const pause = new Int32Array(new SharedArrayBuffer(4));
const keys = Array.from({ length: 24 }, (_, i) => `key-${i}`);
let attempt = '';

export default defineJob(import.meta, {
  name: 'not-deterministic',
  // Milliseconds that a map task waits, and a reduce for every key.
  params: { mapMs: 0, reduceMs: 0 },
  setup(ctx) {
    attempt = `${ctx.task}-${randomUUID()}`;
    if (ctx.task.startsWith('m')) Atomics.wait(pause, 0, 0, ctx.params.mapMs);
  },
  *map(_line) {
    for (const key of keys) yield [key, attempt];
  },
  *reduce(key, attempts: Iterable<string>, ctx) {
    Atomics.wait(pause, 0, 0, ctx.params.reduceMs);
    yield [key, [...new Set(attempts)].sort().join(' ')];
  },
});
