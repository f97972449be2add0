/** What a command line asks for, as benchmarks to run one after the other. */
import { MillraceError } from '../lib/errors.ts';
import { parseBytes, parseDurationMs } from '../lib/units.ts';
import { Budget } from './budget.ts';
import { experiments } from './experiments/experiments.ts';
import { budgetDefault, type Flags, sizeDefault, sizeOfFull } from './flags.ts';
import { fullTable, type Part } from './full-table.ts';
import type { Peer } from './peers/peer.ts';
import { peers } from './peers/peers.ts';
import type { BenchmarkOptions } from './run-benchmark.ts';
import { scenarios } from './scenarios/scenarios.ts';

interface Named {
  readonly name: string;
}

/** Runs in a second or two, unlike the other experiments. */
const quickExperiment = 'warm-submit';

/** `text`: the options as they were given, for the report. Throws `invalid-argument` for names that there are not, sizes and times that cannot be read. */
export function plan(flags: Flags, text: string): BenchmarkOptions[] {
  const { size, scenarios: names, runs, slowRuns, slots, data, seed } = flags;
  if (flags.full && (names !== undefined || size?.includes(',')))
    throw new MillraceError(
      'invalid-argument',
      '--full has scenarios and sizes of its own: one --size and no --scenarios',
    );
  const sizes = (size ?? (flags.full ? sizeOfFull : sizeDefault))
    .split(',')
    .map((each) => parseBytes(each, '--size'));
  const wanted = wantedPeers(flags.peers);
  const parts: Part[] = flags.full
    ? fullTable({ peers: wanted, bytes: sizes[0]!, runs, slowRuns })
    : [{ ...wantedScenarios(names), peers: wanted, sizes, runs, slowRuns }];
  const isUsual = !flags.full && names === undefined && size === undefined;
  const time = flags.budget ?? (isUsual ? budgetDefault : undefined);
  const shared = {
    slots,
    seed,
    text,
    budget: new Budget(time === undefined ? undefined : parseDurationMs(time, '--budget')),
    warmUp: flags.warmUp === true,
    dataFolder: data,
    say: (line: string) => console.error(line),
  };
  return parts.map((part) => ({ ...part, ...shared }));
}

function wantedScenarios(text: string | undefined): Pick<Part, 'scenarios' | 'experiments'> {
  if (text === 'all') return { scenarios, experiments };
  if (text === undefined)
    return { scenarios, experiments: experiments.filter(({ name }) => name === quickExperiment) };
  const names = namesIn(text, '--scenarios', [...scenarios, ...experiments]);
  return { scenarios: pick(scenarios, names), experiments: pick(experiments, names) };
}

function wantedPeers(text: string | undefined): readonly Peer[] {
  if (text === undefined) return peers.filter(({ isDefault }) => isDefault);
  if (text === 'all') return peers;
  return text === 'none' ? [] : pick(peers, namesIn(text, '--peers', peers));
}

/** In their own order. */
function pick<T extends Named>(all: readonly T[], names: readonly string[]): T[] {
  return all.filter(({ name }) => names.includes(name));
}

function namesIn(text: string, option: string, all: readonly Named[]): string[] {
  const known = all.map(({ name }) => name);
  const names = text.split(',').map((name) => name.trim());
  const unknown = names.find((name) => !known.includes(name));
  if (unknown === undefined) return names;
  throw new MillraceError(
    'invalid-argument',
    `${option}: there is no ${unknown}; there are ${known.join(', ')}`,
  );
}
