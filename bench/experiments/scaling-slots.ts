/** What a second slot gains on a machine of two processors: one worker with one slot and one with two, without limits. */
import { type Findings, nothingFound } from '../result.ts';
import {
  jobNames,
  jobs,
  type Measured,
  ratioResult,
  ratios,
  sayRatios,
  wallTimes,
} from './cluster-findings.ts';
import type { Experiment, ExperimentContext } from './experiment.ts';
import { interleave } from './interleave.ts';
import { LimitedCluster } from './limited-cluster.ts';

const name = 'scaling-slots';
const bytes = 400_000_000;
const shape = { maps: 24, reducers: 4 };

export const scalingSlots: Experiment = {
  name,
  title: 'Speed-up from one slot to two',
  expectedSeconds: (runs) => 10 + 90 * runs,
  whyNot: () => undefined,
  run,
};

async function run({ runs, input, say }: ExperimentContext): Promise<Findings> {
  await using one = await LimitedCluster.start({ workers: 1, slots: 1 });
  await using two = await LimitedCluster.start({ workers: 1, slots: 2 });
  const found = [];
  for (const of of jobNames) {
    const { job, kind } = jobs[of];
    const work = { job, input: [input(kind, bytes)], ...shape };
    const conditions = [
      { name: '1 slot', run: () => one.run(work) },
      { name: '2 slots', run: () => two.run(work) },
    ];
    const parameters = { bytes, ...shape };
    const measured: Measured = { group: name, of, parameters, runs: await interleave(conditions, runs) };
    const samples = ratios(measured, '2 slots', '1 slot', { isSpeedUp: true });
    sayRatios(say, `${of}, 2 slots to 1, times as fast`, samples);
    found.push({
      results: [
        ...wallTimes(measured),
        ratioResult(measured, '2 slots', '1 slot', { metric: 'speed-up', isSpeedUp: true }),
      ],
      figure: { figure: 'speed-up/slots', of, samples } as const,
    });
  }
  return {
    ...nothingFound,
    results: found.flatMap(({ results }) => results),
    figures: found.map(({ figure }) => figure),
  };
}
