/**
 * `npm run sim -- --seed N [--seeds K] [--trace] [--log LEVEL] [--mutant NAME]` replays one seed, or K from there, and prints what was
 * reached; exit code 1 when an invariant broke. `--mutants` instead looks for the first of the seeds that catches each mutant.
 */
import { parseArgs } from 'node:util';
import type { LogLevel } from '../../lib/log.ts';
import { type Mutant, mutants } from './mutants.ts';
import { type Outcome, simulate } from './simulate.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    seeds: { type: 'string', default: '1' },
    trace: { type: 'boolean', default: false },
    log: { type: 'string' },
    mutant: { type: 'string' },
    mutants: { type: 'boolean', default: false },
  },
});

const first = Number(values.seed);
const count = Number(values.seeds);
const isFine = values.mutants ? await hunt() : await replay();
if (!isFine) process.exitCode = 1;

/** All seeds hold. */
async function replay(): Promise<boolean> {
  const coverage = new Map<string, number>();
  let violations = 0;
  let events = 0;
  const startedMs = performance.now();
  for (let seed = first; seed < first + count; seed++) {
    const outcome = await simulate(seed, {
      mutant: mutants.find(({ name }) => name === values.mutant),
      logLevel: values.log as LogLevel | undefined,
      print: values.trace ? (line) => process.stdout.write(line) : undefined,
    });
    events += outcome.events;
    for (const [what, times] of outcome.coverage) coverage.set(what, (coverage.get(what) ?? 0) + times);
    if (count === 1) console.log(`seed ${seed}: trace ${outcome.traceHash}, ${outcome.events} events`);
    if (outcome.violation === undefined) continue;
    violations++;
    console.log(`seed ${seed}: trace ${outcome.traceHash}: ${outcome.violation}`);
  }
  for (const [what, times] of [...coverage].sort()) console.log(`${String(times).padStart(9)}  ${what}`);
  const seconds = (performance.now() - startedMs) / 1_000;
  console.log(`${count} seeds, ${events} events, ${violations} violations, ${seconds.toFixed(1)} s`);
  return violations === 0;
}

/** Each mutant is caught by one of the seeds. */
async function hunt(): Promise<boolean> {
  let caught = 0;
  for (const mutant of mutants) {
    const found = await firstCatch(mutant);
    if (found) caught++;
    console.log(
      `${mutant.name}: ${found ? `seed ${found.seed}: ${found.violation?.split('\n')[0]}` : 'ESCAPED'}`,
    );
  }
  console.log(`${caught} of ${mutants.length} mutants caught within ${count} seeds`);
  return caught === mutants.length;
}

async function firstCatch(mutant: Mutant): Promise<Outcome | undefined> {
  for (let seed = first; seed < first + count; seed++) {
    const outcome = await simulate(seed, { mutant });
    if (outcome.violation !== undefined) return outcome;
  }
  return undefined;
}
