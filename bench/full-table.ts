/**
 * All that `--full` measures, in parts of different sizes and numbers of runs, so that it takes some 25 minutes on two cores: what is wanted most comes first,
 * because the last parts are left out when time runs out.
 */
import type { Experiment } from './experiments/experiment.ts';
import { experiments } from './experiments/experiments.ts';
import type { Peer } from './peers/peer.ts';
import type { BenchmarkOptions } from './run-benchmark.ts';
import type { ScenarioName } from './scenarios/scenario-name.ts';
import { type Scenario, scenarios } from './scenarios/scenarios.ts';

/** What differs from one part to the next. */
export type Part = Pick<
  BenchmarkOptions,
  'scenarios' | 'experiments' | 'peers' | 'sizes' | 'runs' | 'slowRuns'
>;

/** Those with figures to reach against other systems. */
const main: readonly ScenarioName[] = ['start-up', 'word-count', 'sort', 'grep'];
/** What a setting costs: no figure is asked for. */
const costs: readonly string[] = ['tls', 'minio', 'durability', 'memory'];
const largeTimes = 5;
const smallShare = 1 / 4;

const named = (wanted: readonly ScenarioName[]): Scenario[] =>
  scenarios.filter(({ name }) => wanted.includes(name));

/** `bytes`: of the usual input; there is larger one, five times that, and smaller. */
export function fullTable(peers: readonly Peer[], bytes: number, runs: number, slowRuns: number): Part[] {
  const fast = peers.filter(({ isSlow }) => !isSlow);
  const slow = peers.filter(({ isSlow }) => isSlow);
  // Its pipeline of tr, sort and uniq takes two minutes for the words of a gigabyte.
  const fastWordCounters = fast.filter(({ name }) => name !== 'gnu' && name !== 'mawk');
  const none = {
    scenarios: [],
    experiments: [] as Experiment[],
    peers: fast,
    sizes: [bytes],
    runs,
    slowRuns: 0,
  };
  const large = { ...none, sizes: [bytes * largeTimes], runs: 1 };
  return [
    { ...none, scenarios: named(main) },
    { ...none, experiments: experiments.filter(({ name }) => !costs.includes(name)) },
    { ...large, scenarios: named(['word-count']), peers: fastWordCounters },
    { ...large, scenarios: named(['sort']) },
    { ...none, scenarios: named(main), peers: slow, runs: 0, slowRuns },
    {
      ...none,
      scenarios: scenarios.filter(({ name }) => !main.includes(name)),
      sizes: [bytes * smallShare],
    },
    { ...none, experiments: experiments.filter(({ name }) => costs.includes(name)), runs: 1 },
  ];
}
