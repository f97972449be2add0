/** The command line of the benchmark. */
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { experiments } from './experiments/experiments.ts';
import { peers } from './peers/peers.ts';
import { scenarios } from './scenarios/scenarios.ts';

export interface Flags {
  readonly full?: boolean;
  readonly scenarios?: string;
  readonly peers?: string;
  readonly runs: number;
  readonly slowRuns: number;
  readonly size?: string;
  readonly slots: number;
  readonly warmUp?: boolean;
  readonly budget?: string;
  readonly data: string;
  readonly seed: number;
  readonly from?: string;
  readonly json?: string;
  readonly html?: string;
  readonly markdown?: string;
  readonly compare?: string;
}

export const sizeDefault = '50MB';
export const sizeOfFull = '200MB';
/** Where nothing is said about what to measure. */
export const budgetDefault = '5m';

const namesOf = (all: readonly { readonly name: string }[]) => all.map(({ name }) => name).join(', ');

function wholeNumber(least: number) {
  return (text: string): number => {
    const value = Number(text);
    if (Number.isSafeInteger(value) && value >= least) return value;
    throw new InvalidArgumentError(`Expected a whole number of at least ${least}.`);
  };
}

/** Throws CommanderError, or ends the process for `--help`, as commander does. */
export function parseFlags(args: readonly string[]): Flags {
  return command()
    .parse([...args], { from: 'user' })
    .opts<Flags>();
}

function command(): Command {
  const all = namesOf([...scenarios, ...experiments]);
  return new Command('bench')
    .description(
      `Measures Millrace beside other systems, and prints every figure that is to be reached. Without options: all scenarios, in ${budgetDefault}.`,
    )
    .option('--full', 'all scenarios at three sizes, and all experiments: 40 minutes on two cores')
    .option('--scenarios <NAMES>', `some of ${all}; or all (default: those with peers, and warm-submit)`)
    .option('--peers <NAMES>', `some of ${namesOf(peers)}; or all, or none (default: the best of them)`)
    .option('--size <SIZES>', `of the input (default: ${sizeDefault}; with --full ${sizeOfFull})`)
    .option('--runs <N>', 'of ours, of fast peers and of experiments', wholeNumber(1), 3)
    .option('--slow-runs <N>', 'of slow peers and, with --full, of long experiments', wholeNumber(1), 1)
    .option('--slots <N>', 'tasks at once, and threads of peers', wholeNumber(1), availableParallelism())
    .option('--warm-up', 'everybody runs once more, before what counts')
    .option('--budget <TIME>', 'leaves out, and says so, what would end later: 25m')
    .option('--data <DIR>', 'where input is kept for the next time', join(tmpdir(), 'millrace-bench'))
    .option('--seed <N>', 'of the input', wholeNumber(1), 1)
    .option('--from <FILES>', 'measures nothing: shows reports that --json wrote, as one')
    .option('--json <FILE>', 'writes the report with all samples')
    .option('--html <FILE>', 'writes it as a page with plots')
    .option('--markdown <FILE>', 'writes it as Markdown; between the marks of a file that has them')
    .option('--compare <FILE>', 'an earlier report: exit code 1 when something is worse beyond the noise')
    .allowExcessArguments(false);
}
