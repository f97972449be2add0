/** Preloaded into a process that is not timed: counts the gRPC calls that it makes, all its threads together, into the file that COUNT_RPCS names. */
import { subscribe } from 'node:diagnostics_channel';
import { appendFileSync } from 'node:fs';

let calls = 0;
subscribe('http2.client.stream.created', () => {
  calls++;
});
process.on('exit', () => appendFileSync(process.env.COUNT_RPCS, `${calls}\n`));
