/**
 * `npm run sim -- --seed N [--seeds K]` replays one seed, or K from there; exit code 1 when an invariant broke.
 *
 *   --shards S        in so many processes beside each other; 0: one for each core
 *   --coverage        how often everything that can happen happened, and in how many seeds
 *   --row             progress while it runs, and at the end a row for docs/RELIABILITY.md
 *   --trace, --log L  of one seed: everything that happens, and what the programs log
 *   --regression NAME with the faults of that regression instead of those of the seed
 *   --mutant NAME     with that bug; --mutants: which of the seeds is the first to notice each of them;
 *                     --planned: of rare ones with the faults that make them likely
 */
import { execFileSync } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import type { LogLevel } from '../../lib/log.ts';
import { type Mutant, mutants } from './mutants.ts';
import { optionsOf, type Shard, type ShardTask, withShards } from './shard.ts';
import { type Outcome, simulate } from './simulate.ts';
import { Summary } from './summary.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    seeds: { type: 'string', default: '1' },
    shards: { type: 'string', default: '1' },
    coverage: { type: 'boolean', default: false },
    row: { type: 'boolean', default: false },
    trace: { type: 'boolean', default: false },
    log: { type: 'string' },
    mutant: { type: 'string' },
    regression: { type: 'string' },
    mutants: { type: 'boolean', default: false },
    planned: { type: 'boolean', default: false },
  },
});

const first = Number(values.seed);
const count = Number(values.seeds);
const { mutant, regression } = values;
const shards = Number(values.shards) || availableParallelism();
const progressEveryMs = 10_000;
/** Seeds of a hunt that were run without a mutant: whether they hold. */
const fine = new Map<string, boolean>();

const hasHeld = await (values.mutants ? hunt() : count === 1 ? replay() : walk());
if (!hasHeld) process.exitCode = 1;

/** One seed, here: its trace can be seen. */
async function replay(): Promise<boolean> {
  const outcome = await simulate(first, {
    ...optionsOf({ mutant, regression }),
    logLevel: values.log as LogLevel | undefined,
    print: values.trace ? (line) => process.stdout.write(line) : undefined,
  });
  const summary = new Summary();
  summary.add(outcome);
  if (values.coverage) console.log(summary.table());
  console.log(`seed ${first}: trace ${outcome.traceHash}, ${outcome.events} events`);
  if (outcome.violation !== undefined) console.log(outcome.violation);
  return outcome.violation === undefined;
}

/** All seeds hold. */
async function walk(): Promise<boolean> {
  // Refuses a wrong name here, not seed by seed.
  optionsOf({ mutant, regression });
  const summary = new Summary();
  const commit = values.row ? presentCommit() : '';
  // Who interrupts it hears what it came to; the next signal ends it.
  let isInterrupted = false;
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => (isInterrupted = true));
  let next = first;
  let shownMs = performance.now();
  await withShards(shards, async (shard) => {
    while (next < first + count && !isInterrupted) {
      const outcome = await shard.run({ seed: next++, mutant, regression });
      summary.add(outcome);
      if (outcome.violation !== undefined) console.log(describe(outcome));
      if (!values.row || performance.now() - shownMs < progressEveryMs) continue;
      shownMs = performance.now();
      console.log(`${summary.seeds} of ${count} seeds, ${summary.line()}`);
    }
  });
  if (values.coverage) console.log(summary.table());
  console.log(`${summary.seeds} seeds from ${first}, ${summary.line()}`);
  if (values.row) console.log(summary.row(first, commit));
  // What was not run holds nothing.
  return summary.seeds > 0 && summary.violations === 0;
}

function presentCommit(): string {
  return execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim();
}

function describe({ seed, traceHash, violation }: Outcome): string {
  return `seed ${seed}: ${violation} (trace ${traceHash}; again: npm run sim -- --seed ${seed} --trace)`;
}

/** Each mutant is noticed by one of the seeds, which is fine without it. */
async function hunt(): Promise<boolean> {
  let caught = 0;
  const waiting = mutants.filter(({ name }) => name.includes(mutant ?? ''));
  const total = waiting.length;
  await withShards(shards, async (shard) => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      const { name } = next;
      const found = await firstCatch(shard, next);
      if (found) caught++;
      const [violation] = found?.violation?.split('\n') ?? [];
      console.log(`| ${name} | ${found ? `${found.seed} | ${violation}` : `not within ${count} | `} |`);
    }
  });
  console.log(`${caught} of ${total} mutants noticed within ${count} seeds`);
  return total > 0 && caught === total;
}

async function firstCatch(shard: Shard, { name, plan }: Mutant): Promise<Outcome | undefined> {
  const planOf = values.planned && plan ? name : undefined;
  for (let seed = first; seed < first + count; seed++) {
    const outcome = await shard.run({ seed, mutant: name, planOf });
    if (outcome.violation !== undefined && (await isFine(shard, { seed, planOf }))) return outcome;
  }
  return undefined;
}

/** Without any mutant. */
async function isFine(shard: Shard, task: ShardTask): Promise<boolean> {
  const name = `${task.seed} ${task.planOf}`;
  const known = fine.get(name) ?? (await shard.run(task)).violation === undefined;
  fine.set(name, known);
  return known;
}
