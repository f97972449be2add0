/** What the death of each kind of program costs a job that is half done: seconds, and tasks run again. */
import { isDeepStrictEqual } from 'node:util';
import type { Minio } from '../minio/start-minio.ts';
import { until } from '../until.ts';
import { ChaosCluster } from './chaos-cluster.ts';
import { CountJob, maps } from './count-job.ts';
import { runUndisturbed } from './run-scenario.ts';

const leaseMs = 2_000;
const heartbeatTimeoutMs = 3_000;
const endTimeoutMs = 120_000;

export interface KillOutcome {
  readonly seconds: number;
  readonly undisturbedSeconds: number;
  /** When it was done. */
  readonly mapsDone: number;
  readonly mapsRunning: number;
  readonly mapsAgain: number;
  readonly reducesAgain: number;
  /** What else is to be said, such as how long nobody led. */
  readonly note: string;
}

export interface Kill {
  readonly name: string;
  /** What it does to the cluster, and what it saw. */
  readonly run: (cluster: ChaosCluster) => Promise<string>;
}

export const kills: readonly Kill[] = [
  { name: 'the leader, for good; a standby is there', run: killLeader },
  { name: 'the leader stands still (SIGSTOP) for 3 leases', run: stopLeader },
  { name: 'all programs at once; started again on their disks', run: killAll },
  { name: 'a worker; started again on its disk', run: (cluster) => killWorker(cluster, { withDisk: false }) },
  {
    name: 'a worker with its disk; started again',
    run: (cluster) => killWorker(cluster, { withDisk: true }),
  },
];

/** On a cluster of its own: the job once as it is, and once with the kill. Throws for anything that is wrong. */
export async function runKill(minio: Minio, { run }: Kill): Promise<KillOutcome> {
  await using cluster = await ChaosCluster.start(minio, { workers: 3, leaseMs, heartbeatTimeoutMs });
  const undisturbed = await runUndisturbed(cluster, 'undisturbed');
  await using job = await CountJob.submit(cluster, 'killed');
  const { map } = await job.until(({ map }) => map.done >= maps / 2 && map.running >= 1);
  const note = await run(cluster);
  const outcome = await job.outcome(endTimeoutMs);
  if (!isDeepStrictEqual(outcome.parts, undisturbed.parts)) throw new Error('other parts than undisturbed');
  const { seconds, mapsAgain, reducesAgain } = outcome;
  const before = { undisturbedSeconds: undisturbed.seconds, mapsDone: map.done, mapsRunning: map.running };
  return { ...before, seconds, mapsAgain, reducesAgain, note };
}

async function killLeader(cluster: ChaosCluster): Promise<string> {
  const leader = await cluster.leader();
  // Its end is noticed by nothing but its silence: the standby is on another host.
  void leader[Symbol.asyncDispose]();
  return untilAnotherLeads(cluster, leader.name);
}

async function stopLeader(cluster: ChaosCluster): Promise<string> {
  const leader = await cluster.leader();
  leader.signal('SIGSTOP');
  setTimeout(() => leader.signal('SIGCONT'), 3 * leaseMs);
  return untilAnotherLeads(cluster, leader.name);
}

async function untilAnotherLeads(cluster: ChaosCluster, deposed: string): Promise<string> {
  const startedMs = performance.now();
  await until('another one leads', async () => (await cluster.leader()).name !== deposed);
  const seconds = (performance.now() - startedMs) / 1000;
  return `another leads after ${seconds.toFixed(1)} s, ${((seconds * 1000) / leaseMs).toFixed(1)} leases`;
}

async function killAll(cluster: ChaosCluster): Promise<string> {
  const startedMs = performance.now();
  const lives = cluster.programs.map((program) => program.lives);
  for (const program of cluster.programs) program.signal('SIGKILL');
  await Promise.all(cluster.programs.map((program, i) => program.untilUp(lives[i]! + 1)));
  return `all are up again after ${((performance.now() - startedMs) / 1000).toFixed(1)} s`;
}

async function killWorker(cluster: ChaosCluster, { withDisk }: { withDisk: boolean }): Promise<string> {
  const worker = cluster.workers[0]!;
  const life = worker.lives + 1;
  cluster.killWorker(worker, { withDisk });
  await worker.untilUp(life);
  return '';
}
