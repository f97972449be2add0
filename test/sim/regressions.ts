/**
 * Bugs that the simulation has found. Seeds alone would not keep them: what a seed draws shifts whenever a fault is added. So each has the
 * faults behind it, with rates that make it likely, and seeds enough to meet it again.
 */
import type { FaultPlan } from './faults.ts';

export interface Regression {
  readonly name: string;
  /** What went wrong. */
  readonly broke: string;
  readonly plan: FaultPlan;
  readonly seeds: number;
}

export const regressions: readonly Regression[] = [
  {
    name: 'two hellos of one worker in one step',
    broke:
      'A worker was given two attempts of one map. The one that lost took the accepted output out of the books of its worker, which then ' +
      'served it to nobody.',
    plan: { 'stream broken': 0.1, 'store slow': 0.6 },
    seeds: 12,
  },
  {
    name: 'a hello that was long under way',
    broke:
      'It took the place of a stream that the worker had opened later and went on talking on: the worker got no more messages, and its job never ended.',
    plan: { 'message late': 0.5, 'one-way partition': 0.5 },
    seeds: 24,
  },
  {
    name: 'a coordinator that stands still',
    broke:
      'Workers and clients that were connected to it waited for it, and not for the one that led meanwhile.',
    plan: { 'coordinator paused': 0.3, 'coordinator deposed': 0.1 },
    seeds: 12,
  },
];
