/**
 * What a micro benchmark measures: rates per second of CPU time of its process, garbage collection and compilation included. Time in which others had the
 * core does not count.
 */
import type { Unit } from '../result.ts';

export interface Rate {
  readonly what: string;
  readonly unit: Extract<Unit, 'MB/s' | 'ops/s' | 'tasks/s' | 'bytes'>;
  /** One for each counted round. */
  readonly samples: readonly number[];
}

/** CPU seconds of this process so far. */
export function cpuNow(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

/** CPU seconds that something synchronous took. */
export function cpuOf(run: () => void): number {
  const startedAt = cpuNow();
  run();
  return cpuNow() - startedAt;
}

const countedRounds = 5;

/** A round for the compiler, and then five that count. Each says the CPU seconds of its stages; they become rates of `amount`, named `what, stage`. */
export async function measureStages<Stage extends string>(
  what: string,
  amount: number,
  unit: Rate['unit'],
  round: () => Record<Stage, number> | Promise<Record<Stage, number>>,
): Promise<Rate[]> {
  const stages = Object.keys(await round()) as Stage[];
  const rounds: Record<Stage, number>[] = [];
  for (let at = 0; at < countedRounds; at++) rounds.push(await round());
  return stages.map((stage) => ({
    what: `${what}, ${stage}`,
    unit,
    samples: rounds.map((seconds) => amount / seconds[stage]),
  }));
}

/** The rates of several cases, measured one after the other. */
export async function measureEach<Case>(
  cases: Iterable<Case>,
  measure: (each: Case) => Promise<Rate[]>,
): Promise<Rate[]> {
  const rates: Rate[] = [];
  for (const each of cases) rates.push(...(await measure(each)));
  return rates;
}
