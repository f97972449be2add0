/** A trivial job to a cluster that runs and has had jobs before: what is left of start-up then. */
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Experiment } from '../experiments/experiment.ts';
import { jobPath } from '../paths.ts';
import { nothingFound } from '../result.ts';
import { SmallCluster } from './small-cluster.ts';

/** Until the code of all programs is compiled. */
const warmUps = 3;
const runsMin = 5;

export const warmSubmit: Experiment = {
  name: 'warm-submit',
  title: 'a trivial job, submitted to a cluster that runs',
  expectedSeconds: (runs) => 5 + Math.max(runs, runsMin),
  whyNot: () => undefined,
  async run({ runs, folder }) {
    const input = join(folder, 'input.txt');
    writeFileSync(input, 'two words\n');
    await using cluster = await SmallCluster.start({ folder, workers: 1, slots: 2 });
    const output = join(folder, 'output');
    const samples: number[] = [];
    for (let run = -warmUps; run < Math.max(runs, runsMin); run++) {
      const { wallMs } = await cluster.submit(jobPath('word-count-generator'), '-i', input, '-o', output);
      rmSync(output, { recursive: true });
      if (run >= 0) samples.push(wallMs / 1000);
    }
    return {
      ...nothingFound,
      results: [
        {
          group: 'warm-submit',
          subject: 'millrace submit',
          metric: 'wall time',
          unit: 's',
          better: 'lower',
          samples,
          parameters: {},
        },
      ],
      figures: [{ figure: 'start-up/submit', of: '', samples }],
    };
  },
};
