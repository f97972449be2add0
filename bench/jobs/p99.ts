/** The 99th percentile of the time that requests took, for each path. */
import { defineJob } from 'millrace';
import { accessLogLine } from '../scenarios/scenario-name.ts';

export default defineJob(import.meta, {
  name: 'p99',
  *map(line) {
    const [, path, , ms] = accessLogLine.exec(line) ?? [];
    if (path !== undefined) yield [path, Number(ms)];
  },
  *reduce(path, times) {
    const ascending = Float64Array.from(times).sort();
    yield [path, ascending[Math.ceil(ascending.length * 0.99) - 1]];
  },
});
