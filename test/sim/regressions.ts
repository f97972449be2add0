/** Bugs that a simulation has found, each with what made it show. */
import type { FaultPlan } from './faults.ts';

export interface Regression {
  readonly name: string;
  /** What went wrong. */
  readonly broke: string;
  readonly plan: FaultPlan;
  readonly seeds: readonly [first: number, count: number];
}

export const regressions: readonly Regression[] = [];
