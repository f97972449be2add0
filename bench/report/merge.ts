/** Several reports of one machine as one. */
import { MillraceError } from '../../lib/errors.ts';
import { type FigureValue, type Result, resultKey, together } from '../result.ts';
import type { Report } from './report.ts';

/**
 * Samples of the same thing are put behind each other, in the order of the reports. Throws `invalid-argument` when machine or versions are not the same:
 * such reports can be compared, not merged.
 */
export function mergeReports(reports: readonly Report[]): Report {
  const [first] = reports;
  if (!first) throw new MillraceError('invalid-argument', 'there is no report to merge');
  const machines = new Set(reports.map(({ machine }) => JSON.stringify(machine)));
  if (machines.size > 1)
    throw new MillraceError(
      'invalid-argument',
      `reports of different machines or versions cannot be merged: ${[...machines].join(' and ')}`,
    );
  const { series, omissions, results, figures } = together(reports);
  return {
    ...first,
    tookSeconds: reports.reduce((sum, { tookSeconds }) => sum + tookSeconds, 0),
    options: [...new Set(reports.map(({ options }) => options))].join(' and '),
    peers: unique(
      reports.flatMap(({ peers }) => peers),
      ({ name }) => name,
    ),
    mistakes: reports.flatMap(({ mistakes }) => mistakes),
    results: joinSamples<Result>(results, resultKey),
    series,
    figures: joinSamples<FigureValue>(figures, ({ figure, of }) => `${figure} ${of}`),
    omissions: unique(omissions, (omission) => JSON.stringify(omission)),
  };
}

function joinSamples<T extends { readonly samples: readonly number[] }>(
  all: readonly T[],
  keyOf: (each: T) => string,
): T[] {
  return [...Map.groupBy(all, keyOf).values()].map((same) => ({
    ...same[0]!,
    samples: same.flatMap(({ samples }) => samples),
  }));
}

function unique<T>(all: readonly T[], keyOf: (each: T) => string): T[] {
  return [...new Map(all.map((each) => [keyOf(each), each])).values()];
}
