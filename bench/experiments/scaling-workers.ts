/**
 * 1, 2, 4 and 8 workers of a fifth of a processor each, so that eight are fewer than two processors: the same input on more workers (strong scaling), and an
 * input that grows with them (weak scaling). The counts between the first and the last take part in the first round only.
 */
import { type Findings, nothingFound, type Series } from '../result.ts';
import {
  type JobName,
  jobNames,
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
import { LimitedCluster, type Run, type Work } from './limited-cluster.ts';

const name = 'scaling-workers';
const coresEach = 0.2;
const counts = [1, 2, 4, 8];
const most = 8;
const maps = 64;
const reducers = 8;
/** So large that what each worker has to do once for a job (a thread, code that is not fast yet) is a small share on eight of them, too. */
const bytesOf: Readonly<Record<JobName, number>> = { 'word count': 400_000_000, sort: 800_000_000 };

export const scalingWorkers: Experiment = {
  name,
  title: 'Speed-up from 1 to 8 workers of 0.2 CPU each',
  expectedSeconds: (runs) => 300 + 380 * runs,
  whyNot: whyNoLimits,
  run,
};

async function run(context: ExperimentContext): Promise<Findings> {
  const clusters = new AsyncDisposableStack();
  await using _ = clusters;
  const byCount = new Map<number, LimitedCluster>();
  for (const workers of counts)
    byCount.set(workers, clusters.use(await LimitedCluster.start({ workers, coresEach })));
  const found = [];
  for (const of of jobNames) found.push(await strong(context, byCount, of));
  const weakFindings = await weak(context, byCount);
  return {
    ...nothingFound,
    results: [...found.flatMap(({ results }) => results), ...weakFindings.results],
    figures: found.map(({ figure }) => figure),
    series: [...found.map(({ curve }) => curve), weakFindings.curve],
  };
}

async function strong(
  { runs, input, say }: ExperimentContext,
  clusters: ReadonlyMap<number, LimitedCluster>,
  of: JobName,
) {
  const bytes = bytesOf[of];
  const { job, kind } = jobs[of];
  const work: Work = { job, input: [input(kind, bytes)], maps, reducers };
  const measured = await measure(
    of,
    { bytes, maps, reducers, scaling: 'strong' },
    runs,
    clusters,
    () => work,
  );
  const samples = ratios(measured, nameOf(most), nameOf(1), { isSpeedUp: true });
  sayRatios(say, `${of}, ${most} workers to 1, times as fast`, samples);
  const results = [
    ...wallTimes(measured),
    ...counts
      .slice(1)
      .map((count) =>
        ratioResult(measured, nameOf(count), nameOf(1), { metric: 'speed-up', isSpeedUp: true }),
      ),
  ];
  const points = curveOf(measured);
  const curve: Series = {
    group: name,
    plot: 'strong scaling',
    name: of,
    xUnit: 'workers',
    yUnit: 'times as fast',
    points,
  };
  return { results, curve, figure: { figure: 'speed-up/workers', of, samples } as const };
}

/** The same input once per worker. */
async function weak({ input, say }: ExperimentContext, clusters: ReadonlyMap<number, LimitedCluster>) {
  const bytes = 50_000_000;
  const { job, kind } = jobs['word count'];
  const workOf = (count: number): Work => {
    const path = input(kind, bytes * count);
    return { job, input: [path], maps: 8 * count, reducers: count };
  };
  const measured = await measure('word count', { bytesEach: bytes, scaling: 'weak' }, 1, clusters, workOf);
  const points = curveOf(measured);
  say(`word count, an input that grows with the workers: ${points.map(([, y]) => y.toFixed(2)).join(' ')}`);
  const curve: Series = {
    group: name,
    plot: 'weak scaling',
    name: 'word count',
    xUnit: 'workers',
    yUnit: 'share of the speed of one',
    points,
  };
  return { results: wallTimes(measured), curve };
}

async function measure(
  of: JobName,
  parameters: Measured['parameters'],
  rounds: number,
  clusters: ReadonlyMap<number, LimitedCluster>,
  workOf: (count: number) => Work,
): Promise<Measured> {
  const isWeak = parameters.scaling === 'weak';
  const runs = new Map<string, readonly Run[]>();
  const conditions = counts.map((count) => ({
    name: nameOf(count),
    isIn: (round: number) => round === 0 || count === 1 || count === most,
    run: () => clusters.get(count)!.run(workOf(count)),
  }));
  // Outputs of different inputs differ.
  const groups = isWeak ? conditions.map((condition) => [condition]) : [conditions];
  for (const group of groups)
    for (const [condition, all] of await interleave(group, rounds)) runs.set(condition, all);
  return { group: name, of, parameters: { coresEach, ...parameters }, runs };
}

function nameOf(count: number): string {
  return count === 1 ? '1 worker' : `${count} workers`;
}

function curveOf(measured: Measured): [number, number][] {
  return counts.map((count) => {
    const [ratio = 1] = ratios(measured, nameOf(count), nameOf(1), { isSpeedUp: true });
    return [count, ratio];
  });
}
