/** Path and time of the requests that failed: nothing to group, so nothing is shuffled. */
import { defineJob } from 'millrace';
import { accessLogLine } from '../scenarios/scenario-name.ts';

export default defineJob(import.meta, {
  name: 'map-only',
  *map(line) {
    const [, path, status, ms] = accessLogLine.exec(line) ?? [];
    if (path !== undefined && Number(status) >= 500) yield [path, Number(ms)];
  },
  reducers: 0,
});
