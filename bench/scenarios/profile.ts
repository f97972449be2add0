/** Where the time of our jobs goes, stage by stage, as `millrace run --profile` samples it: seconds of threads that were not idle. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { JobView } from '../../lib/job-view.ts';
import { type Stage, stages } from '../../lib/profile.ts';
import type { Experiment } from '../experiments/experiment.ts';
import { measure } from '../measure.ts';
import { cliPath, jobPath } from '../paths.ts';
import { nothingFound, type Result } from '../result.ts';

const bytes = 200e6;
const jobs = [
  { job: 'word-count-generator', kind: 'zipf' },
  { job: 'word-count-callback', kind: 'zipf' },
  { job: 'word-count-built-in', kind: 'zipf' },
  { job: 'sort-built-in', kind: 'records' },
  { job: 'sort-generator', kind: 'records' },
] as const;

export const profile: Experiment = {
  name: 'profile',
  title: 'the time of threads by stage',
  expectedSeconds: (runs) => 10 + runs * jobs.length * 7,
  whyNot: () => undefined,
  async run({ runs, folder, input }) {
    const results: Result[] = [];
    for (const { job, kind } of jobs) {
      const rounds: (readonly [Stage, number][])[] = [];
      for (let round = 0; round < runs; round++)
        rounds.push(await stageSeconds(job, input(kind, bytes), join(folder, 'output')));
      results.push(...resultsOf(job, rounds));
    }
    return { ...nothingFound, results };
  },
};

/** What tasks waited is left out: it is nobody's work. */
async function stageSeconds(job: string, input: string, output: string): Promise<[Stage, number][]> {
  const flags = ['-i', input, '-o', output, '--slots', '2', '--quiet', '--json', '--profile'];
  const { stdout } = await measure(process.execPath, [cliPath, 'run', jobPath(job), ...flags]);
  rmSync(output, { recursive: true });
  const view = JSON.parse(stdout) as Pick<JobView, 'profile'>;
  const { profile: found } = view;
  if (!found) throw new Error(`${job}: there is no profile in ${stdout}`);
  return stages.filter((stage) => stage !== 'idle').map((stage) => [stage, found.micros[stage] / 1e6]);
}

/** Of stages that took something. */
function resultsOf(job: string, rounds: readonly (readonly [Stage, number][])[]): Result[] {
  const [first = []] = rounds;
  return first.flatMap(([stage], at): Result[] => {
    const samples = rounds.map((round) => round[at]![1]);
    if (samples.every((seconds) => seconds === 0)) return [];
    return [
      {
        group: 'profile',
        subject: stage,
        metric: 'thread time',
        unit: 's',
        better: 'lower',
        samples,
        parameters: { job, bytes },
      },
    ];
  });
}
