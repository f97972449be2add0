/**
 * The soak: `npm run test:soak [-- --minutes 30] [--seed 1]`. Prints a line a minute; ends with 1 at the first thing that is wrong, and leaves the logs
 * of all programs in `.millrace/soak/`.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startMinio } from '../minio/start-minio.ts';
import { Soak, type SoakRound } from './soak.ts';

const logs = join(import.meta.dirname, '../../.millrace/soak');
const { values } = parseArgs({
  options: { minutes: { type: 'string', default: '30' }, seed: { type: 'string', default: '1' } },
});

const mega = (bytes: number) => `${Math.round(bytes / 1e6)} MB`;

function print(round: SoakRound): void {
  const { minute, jobsDone, givenUp, mapReruns, troubles, storeFaults, restSeconds, worker, leader } = round;
  const { workersKilled, disksLost, leadersKilled, leadersStopped } = troubles;
  console.log(
    `minute ${minute}: ${jobsDone} jobs right, ${givenUp} given up after three deaths, ${mapReruns} map reruns; killed ${workersKilled} workers (${disksLost} with their disks), ` +
      `leaders: ${leadersKilled} killed, ${leadersStopped} stopped; ${storeFaults} store faults; at rest after ${restSeconds.toFixed(1)} s: ` +
      `worker ${worker.fileDescriptors} fds, ${worker.threads} threads, ${mega(worker.rssBytes)}; leader ${leader.fileDescriptors} fds, ` +
      `${leader.threads} threads, ${mega(leader.rssBytes)}; scratch ${round.scratchBytes} B, journal ${round.journalObjects} objects`,
  );
}

await using minio = await startMinio();
await using soak = await Soak.start(minio, {
  roundMs: 50_000,
  rounds: Number(values.minutes),
  workerKillMs: [3_000, 7_000],
  leaderKillMs: 45_000,
  streams: 3,
  seed: Number(values.seed),
  onRound: print,
});
try {
  await soak.run();
  console.log(`soak: ${values.minutes} rounds, all right`);
} catch (error) {
  process.exitCode = 1;
  console.log(`FAILED: ${error}`);
  mkdirSync(logs, { recursive: true });
  for (const { name, log } of soak.cluster.programs) writeFileSync(join(logs, `${name}.log`), log);
}
