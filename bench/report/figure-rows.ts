/** Every figure that is to be reached beside what was measured. */
import { type Figure, figures } from '../figures.ts';
import { summary } from '../statistics.ts';
import type { Report } from './report.ts';
import { formatValue } from './values.ts';

export type Verdict = 'aim reached' | 'reached' | 'MISSED' | 'not measured';

export interface FigureRow {
  readonly figure: Figure;
  /** What of it, where it is measured on several things. */
  readonly of: string;
  readonly samples: readonly number[];
  readonly verdict: Verdict;
}

/** In the order of figures.ts, each at least once. */
export function figureRows({ figures: values }: Pick<Report, 'figures'>): FigureRow[] {
  return figures.flatMap((figure): FigureRow[] => {
    const measured = values.filter(({ figure: id }) => id === figure.id);
    if (measured.length === 0) return [{ figure, of: '', samples: [], verdict: 'not measured' }];
    return measured.map(({ of, samples }) => ({ figure, of, samples, verdict: judge(figure, samples) }));
  });
}

/** By the median. */
function judge({ better, must, aim }: Figure, samples: readonly number[]): Verdict {
  const { median } = summary(samples);
  const reaches = (bound: number) => (better === 'lower' ? median <= bound : median >= bound);
  if (!reaches(must)) return 'MISSED';
  return aim !== undefined && reaches(aim) ? 'aim reached' : 'reached';
}

/** The cells of a table: what, against, must, aim, measured, verdict. */
export const figureHeads = ['what', 'against', 'must', 'aim', 'measured', ''] as const;

export function figureCells({ figure, of, samples, verdict }: FigureRow): string[] {
  const { what, against, unit, better, must, aim } = figure;
  const sign = better === 'lower' ? '<=' : '>=';
  const format = (value: number) => formatValue(value, unit);
  const { median, min, max } = summary(samples);
  const range = samples.length > 1 ? ` (${format(min)} to ${format(max)})` : '';
  return [
    of === '' ? what : `${what}: ${of}`,
    against,
    `${sign} ${format(must)}`,
    aim === undefined ? '' : format(aim),
    samples.length === 0 ? '' : `${format(median)}${range}`,
    verdict,
  ];
}
