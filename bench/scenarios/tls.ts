/** What TLS costs: the same sort on two workers, whose shuffle goes from one to the other, with and without certificates. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Experiment } from '../experiments/experiment.ts';
import { jobPath } from '../paths.ts';
import { nothingFound } from '../result.ts';
import { answerDigest } from './answer.ts';
import { compareSettings } from './settings.ts';
import { SmallCluster } from './small-cluster.ts';

const bytes = 200e6;

export const tls: Experiment = {
  name: 'tls',
  title: 'a sort on two workers, TLS off and on',
  expectedSeconds: (runs) => 10 + runs * 16,
  whyNot: () => undefined,
  async run({ runs, folder, input }) {
    const records = input('records', bytes);
    const inFolder = (name: string) => {
      mkdirSync(join(folder, name));
      return { folder: join(folder, name), workers: 2, slots: 1 };
    };
    await using plain = await SmallCluster.start(inFolder('plain'));
    await using secure = await SmallCluster.start({ ...inFolder('secure'), tls: true });
    const conditions = Object.entries({ 'TLS off': plain, 'TLS on': secure }).map(([name, cluster]) => ({
      name,
      run: async (output: string) => {
        const before = cluster.cpuSeconds;
        const submitted = await cluster.submit(jobPath('sort-built-in'), '-i', records, '-o', output);
        // Of the programs that did the work, not of the client that waited.
        return { ...submitted, cpuSeconds: cluster.cpuSeconds - before };
      },
      digest: (output: string) => answerDigest('bytes', output),
    }));
    return {
      ...nothingFound,
      results: await compareSettings('tls', { bytes }, conditions, { runs, folder }),
    };
  },
};
