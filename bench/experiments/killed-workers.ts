/**
 * A worker dies when half of the maps are done and is started again at once, as in the paper (200 of 1746, 5 % more time): one of nine in a sort, and one
 * of two in a word count. On its disk, which brings its map output back, and with the disk lost; against no death.
 */
import type { FigureId } from '../figures.ts';
import { type Findings, nothingFound, together } from '../result.ts';
import {
  type JobName,
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
import { LimitedCluster, untilView, type Work } from './limited-cluster.ts';

const name = 'killed-workers';

interface Case {
  readonly of: JobName;
  readonly figure: FigureId;
  readonly workers: number;
  readonly coresEach: number;
  readonly bytes: number;
  readonly maps: number;
  readonly reducers: number;
}

const cases: readonly Case[] = [
  {
    of: 'sort',
    figure: 'killed/sort',
    workers: 9,
    coresEach: 0.2,
    bytes: 1_000_000_000,
    maps: 108,
    reducers: 36,
  },
  {
    of: 'word count',
    figure: 'killed/word-count',
    workers: 2,
    coresEach: 0.8,
    // So long as peers take for less: a process that starts again takes its second of any job.
    bytes: 1_000_000_000,
    maps: 96,
    reducers: 8,
  },
];

export const killedWorkers: Experiment = {
  name,
  title: 'Workers killed in the middle of a job',
  expectedSeconds: (runs) => 40 + 200 * runs,
  whyNot: whyNoLimits,
  run: async (context) => {
    const found = [];
    for (const one of cases) found.push(await runCase(context, one));
    return together(found);
  },
};

async function runCase({ runs, input, say }: ExperimentContext, one: Case): Promise<Findings> {
  const { of, figure, workers, coresEach, bytes, maps, reducers } = one;
  await using cluster = await LimitedCluster.start({ workers, coresEach });
  const { job, kind } = jobs[of];
  const work: Work = { job, input: [input(kind, bytes)], maps, reducers };
  const killed = (disk: 'disk kept' | 'disk lost') => ({
    name: `one killed, ${disk}`,
    run: () =>
      cluster.run(work, async (handle) => {
        await untilView(handle, ({ map }) => map.done >= maps / 2 && map.running >= 1);
        await cluster.restartWorker(0, disk);
      }),
  });
  const none = 'none killed';
  const deaths = [killed('disk lost'), killed('disk kept')];
  const conditions = [{ name: none, run: () => cluster.run(work) }, ...deaths];
  const parameters = { workers, coresEach, bytes, maps, reducers };
  const measured: Measured = { group: name, of, parameters, runs: await interleave(conditions, runs) };
  const results = deaths.map((death) =>
    ratioResult(measured, death.name, none, { metric: 'ratio to none killed' }),
  );
  for (const { subject, samples } of results) sayRatios(say, `${subject}, to ${none}`, samples);
  // With the disk of one of two workers a quarter of all maps is lost.
  const figures = deaths.map((death) => ({
    figure,
    of: death.name,
    samples: ratios(measured, death.name, none),
  }));
  return { ...nothingFound, results: [...wallTimes(measured), ...results], figures };
}
