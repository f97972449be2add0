/** A process of its own for simulations, one after the other: each patches what a whole process shares (mutants, the random of Math). */
import { type ChildProcess, fork } from 'node:child_process';
import { mutants } from './mutants.ts';
import { regressions } from './regressions.ts';
import { type Outcome, simulate } from './simulate.ts';
import type { WorldOptions } from './world.ts';

export interface ShardTask {
  readonly seed: number;
  readonly mutant?: string | undefined;
  readonly regression?: string | undefined;
  /** With the faults that make this mutant likely to show. */
  readonly planOf?: string | undefined;
}

/** The coverage as entries: a Map does not pass between processes. */
type Sent = Omit<Outcome, 'coverage'> & { readonly coverage: readonly (readonly [string, number])[] };

/** A simulation takes a tenth of a second: one that takes so long does not end. */
const seedMsMax = 120_000;

export class Shard {
  #child: ChildProcess | undefined;

  /** A simulation that does not end, or takes its process down, has violated that it ends (I11). */
  async run(task: ShardTask): Promise<Outcome> {
    this.#child ??= fork(import.meta.filename, { execArgv: ['--no-warnings'] });
    const child = this.#child;
    const answer = Promise.withResolvers<Outcome>();
    const fail = (why: string) => {
      this.close();
      const nothing = { traceHash: '', events: 0, virtualMs: 0, coverage: new Map<string, number>() };
      answer.resolve({ seed: task.seed, violation: `the simulation ${why} (I11)`, ...nothing });
    };
    const timer = setTimeout(() => fail(`did not end within ${seedMsMax / 1_000} s`), seedMsMax);
    const onExit = (code: number | null) => fail(`ended its process, with ${code}`);
    child.once('exit', onExit);
    child.once('message', (sent: Sent) => answer.resolve({ ...sent, coverage: new Map(sent.coverage) }));
    child.send(task);
    const outcome = await answer.promise;
    clearTimeout(timer);
    child.removeAllListeners('message');
    child.removeListener('exit', onExit);
    return outcome;
  }

  close(): void {
    this.#child?.kill('SIGKILL');
    this.#child = undefined;
  }
}

/** `act` for each of so many shards, beside each other; they are closed afterwards. */
export async function withShards(count: number, act: (shard: Shard) => Promise<void>): Promise<void> {
  const shards = Array.from({ length: count }, () => new Shard());
  try {
    await Promise.all(shards.map(act));
  } finally {
    for (const shard of shards) shard.close();
  }
}

/** The bug and the faults that are named. Throws for a name that is none. */
export function optionsOf({ mutant, regression, planOf }: Omit<ShardTask, 'seed'>): WorldOptions {
  const plan = named(regressions, regression)?.plan ?? named(mutants, planOf)?.plan;
  return { mutant: named(mutants, mutant), plan };
}

function named<T extends { readonly name: string }>(all: readonly T[], wanted?: string): T | undefined {
  const found = all.find(({ name }) => name === wanted);
  if (wanted !== undefined && !found)
    throw new Error(`nothing is named '${wanted}'; there is ${all.map(({ name }) => name).join('; ')}`);
  return found;
}

/** In the process of the shard. */
async function serve(task: ShardTask): Promise<void> {
  const outcome = await simulate(task.seed, optionsOf(task));
  const sent: Sent = { ...outcome, coverage: [...outcome.coverage] };
  process.send?.(sent);
}

if (process.send && process.argv[1] === import.meta.filename) {
  // Sent to all processes of a terminal: the one that has this shard ends it.
  process.on('SIGINT', () => undefined);
  process.on('message', (task) => void serve(task as ShardTask));
}
