import { expect, test } from 'vitest';
import { durabilities } from '../../lib/job-spec.ts';
import type { JobState } from '../../lib/job-view.ts';
import { FakeCluster, Random } from './fake-cluster.ts';

const acts = 4_000;
const actsBetweenJobs = 250;
const settleRoundsMax = 2_000;

/** Jobs of every shape, one after the other, under a random schedule of faults; the cluster after the last has ended. */
function walk(seed: number): FakeCluster {
  const cluster = new FakeCluster(seed);
  const random = new Random(seed ^ 0x5eed);
  const faults = random.pick([0, 0.01, 0.05, 0.15])!;
  for (let act = 0; act < acts; act++) {
    if (act % actsBetweenJobs === 0) submit(cluster, random, `j${act / actsBetweenJobs}`);
    cluster.walk(faults);
  }
  for (let round = 0; round < settleRoundsMax && !cluster.ended; round++) cluster.settle();
  expect(cluster.ended, 'every job ends once the faults have stopped (I11)').toBe(true);
  for (let round = 0; round < 10 && !cluster.drained; round++) cluster.settle();
  expect(cluster.drained, 'every draining worker has left').toBe(true);
  return cluster;
}

function submit(cluster: FakeCluster, random: Random, jobId: string): void {
  cluster.submit(jobId, random.below(12), {
    reducers: random.below(5),
    partition: random.chance(0.3) ? 'range' : 'hash',
    priority: random.below(2),
    durability: random.pick(durabilities),
    attemptsMax: random.chance(0.3) ? 3 : 50,
    maxBadRecords: random.chance(0.15) ? { kind: 'count', records: 1_000 } : undefined,
    onNondeterminism: random.chance(0.1) ? 'fail' : undefined,
  });
}

/** SEEDS=1000 walks further; SEED=7 repeats one. */
function seedsToWalk(): number[] {
  const { SEED, SEEDS } = process.env;
  return SEED ? [Number(SEED)] : Array.from({ length: Number(SEEDS ?? 90) }, (_, seed) => seed);
}

test('under any schedule of faults the invariants hold, outputs are whole, and every job ends', () => {
  const ends = new Map<JobState, number>();
  const reached = new Map<string, number>();
  for (const seed of seedsToWalk()) {
    try {
      const cluster = walk(seed);
      for (const { shown } of cluster.state.jobs.values()) ends.set(shown, (ends.get(shown) ?? 0) + 1);
      for (const [what, times] of Object.entries({ ...cluster.seen, steps: cluster.steps })) {
        reached.set(what, (reached.get(what) ?? 0) + times);
      }
    } catch (error) {
      throw new Error(`seed ${seed}: ${(error as Error).message}; again with SEED=${seed}`, { cause: error });
    }
  }
  if (process.env.SEED) return;
  // The walk is worth something only if it reaches every end and every rare place.
  for (const end of ['COMPLETED', 'FAILED', 'CANCELLED'] as const)
    expect(ends.get(end), end).toBeGreaterThan(10);
  for (const [what, times] of reached) expect(times, what).toBeGreaterThan(10);
});
