/**
 * All that `--full` measures, in parts of different sizes and numbers of runs: what is wanted most comes first, because the last parts are left out when time
 * runs out. On two cores it takes about 40 minutes.
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

export interface FullTableOptions {
  readonly peers: readonly Peer[];
  /** Of the usual input; there is a larger one, five times that, and a smaller one. */
  readonly bytes: number;
  readonly runs: number;
  /** Of slow peers, and of experiments that take minutes. */
  readonly slowRuns: number;
}

/** Those with figures to reach against other systems, beside word count. */
const main: readonly ScenarioName[] = ['start-up', 'sort', 'grep'];
/** Experiments without a figure to reach. */
const beside: readonly string[] = [
  'latency-bound',
  'start-up-share',
  'transfer-rate',
  'profile',
  'tls',
  'minio',
  'durability',
  'memory',
];
/** Pipelines of tr, sort, uniq and awk: slow at this alone. */
const slowWordCounters: readonly string[] = ['gnu', 'mawk'];
const largeTimes = 5;
const smallShare = 1 / 4;
const shortSeconds = 60;

export function fullTable({ peers, bytes, runs, slowRuns }: FullTableOptions): Part[] {
  const fast = peers.filter(({ isSlow }) => !isSlow);
  const slow = peers.filter(({ isSlow }) => isSlow);
  const counters = peers.map((peer) =>
    slowWordCounters.includes(peer.name) ? { ...peer, isSlow: true } : peer,
  );
  const wordCount = (isWanted: (peer: Peer) => boolean) => ({
    scenarios: named(['word-count']),
    peers: counters.filter(isWanted),
  });
  const hasFigure = ({ name }: Experiment) => !beside.includes(name);
  const isShort = (each: Experiment) => hasFigure(each) && each.expectedSeconds(runs) <= shortSeconds;
  const long = shortestFirst(experiments.filter((each) => !isShort(each)));
  const usual = { ...nothing, peers: fast, sizes: [bytes], runs };
  const large = { ...usual, sizes: [bytes * largeTimes], runs: 1 };
  return [
    { ...usual, ...wordCount(({ isSlow }) => !isSlow) },
    { ...usual, scenarios: named(main) },
    { ...usual, experiments: experiments.filter(isShort) },
    { ...large, ...wordCount(({ isSlow }) => !isSlow) },
    { ...large, scenarios: named(['sort']) },
    { ...usual, ...wordCount(({ isSlow }) => isSlow), runs: 0, slowRuns },
    { ...usual, scenarios: named(main), peers: slow, runs: 0, slowRuns },
    { ...usual, experiments: long.filter(hasFigure), runs: slowRuns },
    {
      ...usual,
      scenarios: scenarios.filter(({ name }) => name !== 'word-count' && !main.includes(name)),
      sizes: [bytes * smallShare],
      runs: slowRuns,
    },
    { ...usual, experiments: long.filter((each) => !hasFigure(each)), runs: slowRuns },
  ];
}

const nothing = { scenarios: [], experiments: [], slowRuns: 0 };

function named(wanted: readonly ScenarioName[]): Scenario[] {
  return scenarios.filter(({ name }) => wanted.includes(name));
}

function shortestFirst(all: readonly Experiment[]): Experiment[] {
  return all.toSorted((a, b) => a.expectedSeconds(1) - b.expectedSeconds(1));
}
