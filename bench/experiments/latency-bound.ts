/** A map that waits for something else: more slots and more workers than processors gain as long as processors are idle. */
import { join } from 'node:path';
import { type Findings, nothingFound } from '../result.ts';
import { type Measured, ratioResult, ratios, sayRatios, wallTimes } from './cluster-findings.ts';
import type { Experiment, ExperimentContext } from './experiment.ts';
import { interleave } from './interleave.ts';
import { LimitedCluster, type Work } from './limited-cluster.ts';

const name = 'latency-bound';
const bytes = 40_000_000;
const shape = { maps: 64, reducers: 2 };
const small = '1 worker of 2 slots';
const wide = '1 worker of 16 slots';
const many = '4 workers of 4 slots';

export const latencyBound: Experiment = {
  name,
  title: 'A map that waits, with more slots than processors',
  expectedSeconds: (runs) => 10 + 30 * runs,
  whyNot: () => undefined,
  run,
};

async function run({ runs, input, say }: ExperimentContext): Promise<Findings> {
  await using two = await LimitedCluster.start({ workers: 1, slots: 2 });
  await using sixteen = await LimitedCluster.start({ workers: 1, slots: 16 });
  await using four = await LimitedCluster.start({ workers: 4, slots: 4 });
  const job = join(import.meta.dirname, '../jobs/slow-lookup.ts');
  const work: Work = { job, input: [input('records', bytes)], ...shape };
  const conditions = [
    { name: small, run: () => two.run(work) },
    { name: wide, run: () => sixteen.run(work) },
    { name: many, run: () => four.run(work) },
  ];
  const parameters = { bytes, ...shape };
  const of = 'slow lookup';
  const measured: Measured = { group: name, of, parameters, runs: await interleave(conditions, runs) };
  for (const condition of [wide, many]) {
    const samples = ratios(measured, condition, small, { isSpeedUp: true });
    sayRatios(say, `${condition} to ${small}, times as fast`, samples);
  }
  return {
    ...nothingFound,
    results: [
      ...wallTimes(measured),
      ...[wide, many].map((condition) =>
        ratioResult(measured, condition, small, { metric: 'speed-up', isSpeedUp: true }),
      ),
    ],
  };
}
