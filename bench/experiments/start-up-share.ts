/** Which share of a job is not its work: a job of one line on the same idle cluster, beside the whole one. In the paper a minute of 150 s. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Findings, nothingFound, type Result } from '../result.ts';
import { jobNames, jobs, type Measured, ratioResult, sayRatios, wallTimes } from './cluster-findings.ts';
import type { Experiment, ExperimentContext } from './experiment.ts';
import { interleave } from './interleave.ts';
import { LimitedCluster } from './limited-cluster.ts';

const name = 'start-up-share';
const bytes = 200_000_000;
const shape = { workers: 2, slots: 1 };

export const startUpShare: Experiment = {
  name,
  title: 'Share of start-up in a job',
  expectedSeconds: (runs) => 10 + 20 * runs,
  whyNot: () => undefined,
  run,
};

async function run({ runs, folder, input, say }: ExperimentContext): Promise<Findings> {
  const line = join(folder, 'one-line');
  // As many bytes as one record of the sort has.
  writeFileSync(line, `${'to be or not to be '.repeat(6).slice(0, 99)}\n`);
  await using cluster = await LimitedCluster.start(shape);
  const results: Result[] = [];
  for (const of of jobNames) {
    const { job, kind } = jobs[of];
    const whole = { job, input: [input(kind, bytes)], maps: 8, reducers: 2 };
    const trivial = { job, input: [line], maps: 1, reducers: 2 };
    const parameters = { bytes, ...shape };
    const base = { group: name, of, parameters };
    const wholes = await interleave([{ name: 'whole', run: () => cluster.run(whole) }], runs);
    const trivials = await interleave([{ name: 'one line', run: () => cluster.run(trivial) }], runs);
    const measured: Measured = { ...base, runs: new Map([...wholes, ...trivials]) };
    const share = ratioResult(measured, 'one line', 'whole', { metric: 'share of start-up' });
    sayRatios(say, `${of} of ${bytes / 1e6} MB, share of a job of one line`, share.samples);
    results.push(...wallTimes(measured), share);
  }
  return { ...nothingFound, results };
}
