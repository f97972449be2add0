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

/** How many rows reach what they are to reach, and which do not. */
export function figureSummary(report: Pick<Report, 'figures'>): string {
  const rows = figureRows(report);
  const count = (verdict: Verdict) => rows.filter((row) => row.verdict === verdict).length;
  const missed = rows.filter(({ verdict }) => verdict === 'MISSED').map(missedText);
  return (
    `Of ${rows.length} rows ${count('aim reached')} reach the aim, ${count('reached')} what must be, ${missed.length} miss it, and ` +
    `${count('not measured')} are not measured.${missed.length > 0 ? ` Missed: ${missed.join('; ')}.` : ''}`
  );
}

function missedText(row: FigureRow): string {
  const [what, against, must] = figureCells(row);
  const median = formatValue(summary(row.samples).median, row.figure.unit);
  return `${what}${against === '' ? '' : ` against ${against}`} (${median}, must be ${must})`;
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
