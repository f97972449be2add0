/** A map that waits for something else for most of its time: 5 ms for every hundred lines, as if it asked a service about them. */
import { setTimeout as sleep } from 'node:timers/promises';
import { defineJob, sum } from 'millrace';

const linesPerLookup = 100;
const lookupMs = 5;
let seen = 0;

export default defineJob(import.meta, {
  name: 'slow-lookup',
  async *map(line: string) {
    if (++seen % linesPerLookup === 0) await sleep(lookupMs);
    yield [line.length % 64, 1];
  },
  combine: sum,
  reduce: sum,
});
