/** One scenario on one job: the fault, the end of it, and what must hold afterwards. */
import { isDeepStrictEqual } from 'node:util';
import type { ChaosCluster } from './chaos-cluster.ts';
import { CountJob, type CountOutcome, maps, type Parts, untilNothingStaged } from './count-job.ts';
import { clientNode } from './network.ts';
import type { Scenario, Stage } from './scenarios.ts';

/** After the network is well again: for the job to end, and then for the cluster to be at rest. */
const endTimeoutMs = 90_000;
const restTimeoutMs = 60_000;

export interface ScenarioOutcome extends CountOutcome {
  /** From the end of the fault to that of the job; 0 when the job ended before. */
  readonly secondsAfter: number;
  /** Whether somebody else leads now. */
  readonly hasNewLeader: boolean;
}

/** Without faults: what the others are compared with. */
export async function runUndisturbed(cluster: ChaosCluster, name: string): Promise<CountOutcome> {
  await using job = await CountJob.submit(cluster, name);
  return await job.outcome(endTimeoutMs);
}

/** Throws with what is wrong. `name` is that of the run, and of its output in the bucket. */
export async function runScenario(
  cluster: ChaosCluster,
  scenario: Scenario,
  name: string,
  expected: Parts,
): Promise<ScenarioOutcome> {
  const { network } = cluster;
  const stage = await stageOf(cluster);
  const commits = Promise.withResolvers<void>();
  if (scenario.when === 'committing') {
    const first = { kind: 'first', run: async () => commits.resolve() } as const;
    cluster.requests.fail('CompleteMultipartUpload', first, { skip: 2, under: `/${name}/` });
  }
  await using job = await CountJob.submit(cluster, name);
  if (scenario.when === 'mapping') await job.until(({ map }) => map.done >= 3 && map.running >= 1);
  if (scenario.when === 'reducing')
    await job.until(({ map, reduce }) => map.done === maps && reduce.running >= 1 && reduce.done <= 1);
  if (scenario.when === 'committing') await commits.promise;
  for (let time = 0; time < (scenario.times ?? 1); time++) {
    scenario.begin(stage);
    await pause(scenario.lastsMs);
    network.heal();
    if (scenario.times !== undefined) await pause(scenario.lastsMs);
  }
  const healedMs = performance.now();
  const outcome = await job.outcome(endTimeoutMs);
  const secondsAfter = Math.min(outcome.seconds, (performance.now() - healedMs) / 1000);
  if (!isDeepStrictEqual(outcome.parts, expected)) throw new Error('other parts than undisturbed');
  await cluster.untilAtRest(restTimeoutMs);
  await untilNothingStaged(cluster.bucket, job.partKeys, restTimeoutMs);
  return { ...outcome, secondsAfter, hasNewLeader: (await cluster.leader()).name !== stage.leader };
}

async function stageOf(cluster: ChaosCluster): Promise<Stage> {
  const { name: leader } = await cluster.leader();
  return {
    network: cluster.network,
    leader,
    standby: cluster.coordinators.find(({ name }) => name !== leader)!.name,
    workers: cluster.workers.map(({ name }) => name),
    everyone: [...cluster.nodes, clientNode],
  };
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
