/**
 * One worker of eight has a tenth of the processor of the others: with backup tasks and without, against no slow worker. Eight with such a one are
 * 7.1 workers, so that a job that is bound by processors takes 1.127 times as long at best.
 */
import { type Findings, nothingFound } from '../result.ts';
import {
  jobs,
  type Measured,
  ratioResult,
  ratios,
  sayRatios,
  wallTimes,
  whyNoLimits,
} from './cluster-findings.ts';
import type { Experiment, ExperimentContext } from './experiment.ts';
import { interleave } from './interleave.ts';
import { LimitedCluster, type Work } from './limited-cluster.ts';

const name = 'slow-worker';
const workers = 8;
const coresEach = 0.2;
const slowCores = 0.02;
const bytes = 400_000_000;
const shape = { maps: 128, reducers: 32 };
const none = 'no slow worker';
const withBackups = 'one slow worker, backups on';
const withoutBackups = 'one slow worker, backups off';

export const slowWorker: Experiment = {
  name,
  title: 'One 10x-slow worker of 8',
  expectedSeconds: (runs) => 60 + 120 * runs,
  whyNot: whyNoLimits,
  run,
};

async function run({ runs, input, say }: ExperimentContext): Promise<Findings> {
  await using backups = await LimitedCluster.start({ workers, coresEach });
  const coordinatorFlags = ['--backup-after', 'never'];
  await using noBackups = await LimitedCluster.start({ workers, coresEach, coordinatorFlags });
  const { job, kind } = jobs['word count'];
  const work: Work = { job, input: [input(kind, bytes)], ...shape };
  const runWith = async (cluster: LimitedCluster, cores: number) => {
    await cluster.setCores(0, cores);
    const done = await cluster.run(work);
    // It has to be rid of the job before it takes part in the next.
    await cluster.setCores(0, coresEach);
    return done;
  };
  const conditions = [
    { name: none, run: () => runWith(backups, coresEach) },
    { name: withBackups, run: () => runWith(backups, slowCores) },
    { name: withoutBackups, run: () => runWith(noBackups, slowCores) },
  ];
  const parameters = { bytes, coresEach, slowCores, ...shape };
  const of = 'word count';
  const measured: Measured = { group: name, of, parameters, runs: await interleave(conditions, runs) };
  const results = [withBackups, withoutBackups].map((condition) =>
    ratioResult(measured, condition, none, { metric: 'ratio to no slow worker' }),
  );
  for (const { subject, samples } of results) sayRatios(say, `${subject}, to ${none}`, samples);
  const samples = ratios(measured, withBackups, none);
  return {
    ...nothingFound,
    results: [...wallTimes(measured), ...results],
    figures: [{ figure: 'slow-worker', of, samples }],
  };
}
