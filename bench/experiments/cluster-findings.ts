/** What runs of one job under several conditions come to: the wall time of each condition, and figures that are ratios of two of them. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Parameters, Result } from '../result.ts';
import type { Run } from './limited-cluster.ts';

const examples = join(import.meta.dirname, '../../examples');

/** Both are in the repository, and users write such. */
export const jobs = {
  'word count': { job: join(examples, 'word-count.ts'), kind: 'zipf' },
  sort: { job: join(examples, 'sort.ts'), kind: 'records' },
} as const;

export type JobName = keyof typeof jobs;

export const jobNames = Object.keys(jobs) as JobName[];

export interface Measured {
  readonly group: string;
  /** `word count`. */
  readonly of: string;
  readonly parameters: Parameters;
  readonly runs: ReadonlyMap<string, readonly Run[]>;
}

export function wallTimes({ group, of, parameters, runs }: Measured): Result[] {
  return [...runs].map(([condition, all]) => ({
    group,
    subject: `${of}, ${condition}`,
    metric: 'wall time',
    unit: 's',
    better: 'lower',
    samples: all.map(({ seconds }) => seconds),
    parameters,
  }));
}

/** By round, what `condition` took as a ratio to `base`, or with `isSpeedUp` the other way round. */
export function ratios(
  { runs }: Measured,
  condition: string,
  base: string,
  { isSpeedUp = false } = {},
): number[] {
  const bases = runs.get(base)!;
  return runs.get(condition)!.flatMap(({ seconds }, round) => {
    const other = bases[round];
    if (!other) return [];
    return [isSpeedUp ? other.seconds / seconds : seconds / other.seconds];
  });
}

export function ratioResult(
  measured: Measured,
  condition: string,
  base: string,
  options: { readonly metric: string; readonly isSpeedUp?: boolean },
): Result {
  const { group, of, parameters } = measured;
  return {
    group,
    subject: `${of}, ${condition}`,
    metric: options.metric,
    unit: 'ratio',
    better: options.isSpeedUp ? 'higher' : 'lower',
    samples: ratios(measured, condition, base, options),
    parameters,
  };
}

/** For `whyNot` of what needs workers with a fraction of a processor. */
export function whyNoLimits(): string | undefined {
  if (process.getuid?.() !== 0) return 'needs root, for control groups';
  if (!existsSync('/sys/fs/cgroup/cpu') && !existsSync('/sys/fs/cgroup/cgroup.controllers'))
    return 'there are no control groups for processors';
  return undefined;
}

export function sayRatios(say: (line: string) => void, what: string, samples: readonly number[]): void {
  say(`${what}: ${samples.map((sample) => sample.toFixed(3)).join(' ')}`);
}
