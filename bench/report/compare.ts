/**
 * Whether something got worse since an earlier report. A machine is never as quick as the last time, so that times of our jobs are compared as ratios to
 * a control of the same rounds, the plain Node script or else the GNU tools, when both reports have it. A change counts when it is larger than `toleranceMin`
 * and than the spread of the samples of both reports, and when also the best sample of the new ones is worse than the median of the old ones.
 */
import { type Result, resultKey } from '../result.ts';
import { summary } from '../statistics.ts';
import type { Report } from './report.ts';

/** Smaller changes than a tenth are not told from noise. */
const toleranceMin = 0.1;
const controls: readonly string[] = ['gnu', 'plain', 'duckdb'];

export interface Change {
  readonly result: Result;
  /** New by old, of medians, after what the control changed: above 1 is more. */
  readonly ratio: number;
  /** How much a ratio may differ from 1 before it counts. */
  readonly tolerance: number;
  /** Whom both were divided by; undefined for plain values. */
  readonly control: string | undefined;
  readonly verdict: 'worse' | 'better' | 'same';
}

/** Of each result that both reports have, but for those of peers: what they do is none of our regressions. */
export function compareReports(before: Report, after: Report): Change[] {
  const peers = new Set(after.peers.map(({ name }) => name));
  const old = new Map(before.results.map((result) => [resultKey(result), result]));
  return after.results.flatMap((result) => {
    const base = old.get(resultKey(result));
    return base && !peers.has(result.subject) ? [compare(base, result, before, after)] : [];
  });
}

function compare(base: Result, result: Result, before: Report, after: Report): Change {
  const control =
    result.unit === 's' || result.unit === 'CPU s' ? commonControl(result, before, after) : undefined;
  const scale = control ? medianOf(control.after) / medianOf(control.before) : 1;
  const old = summary(base.samples.map((value) => value * scale));
  const now = summary(result.samples);
  const noise = [base, result, ...(control ? [control.before, control.after] : [])];
  const tolerance = Math.max(toleranceMin, ...noise.map(({ samples }) => summary(samples).spread));
  const ratio = now.median / old.median;
  const isLower = result.better === 'lower';
  const isWorse = isLower
    ? ratio > 1 + tolerance && now.min > old.median
    : ratio < 1 - tolerance && now.max < old.median;
  const isBetter = isLower ? ratio < 1 - tolerance : ratio > 1 + tolerance;
  const verdict = isWorse ? 'worse' : isBetter ? 'better' : 'same';
  return { result, ratio, tolerance, control: control?.after.subject, verdict };
}

const medianOf = ({ samples }: Result) => summary(samples).median;

function commonControl(
  result: Result,
  before: Report,
  after: Report,
): { readonly before: Result; readonly after: Result } | undefined {
  for (const subject of controls) {
    const key = resultKey({ ...result, subject });
    const [old, now] = [before, after].map(({ results }) => results.find((each) => resultKey(each) === key));
    if (old && now) return { before: old, after: now };
  }
  return undefined;
}
