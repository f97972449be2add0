/** The tables of a report, as cells: Markdown, HTML and the terminal show the same ones. */
import { parametersText, type Result } from '../result.ts';
import { ratios, summary } from '../statistics.ts';
import type { Change } from './compare.ts';
import { figureCells, figureHeads, figureRows } from './figure-rows.ts';
import type { Report } from './report.ts';
import { formatSamples, formatValue } from './values.ts';

export interface Table {
  readonly title: string;
  readonly heads: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** The results of one group and size, one row for each subject. */
export interface Block {
  readonly title: string;
  readonly results: readonly Result[];
}

export function figureTable(report: Pick<Report, 'figures'>): Table {
  return { title: 'Figures to reach', heads: figureHeads, rows: figureRows(report).map(figureCells) };
}

export function omissionTable({ omissions }: Pick<Report, 'omissions'>): Table {
  const rows = omissions.map(({ group, subject, why }) => [group, subject, why.split('\n')[0] ?? '']);
  return { title: 'Not measured', heads: ['what', 'who', 'why'], rows };
}

export function blocks({ results }: Pick<Report, 'results'>): Block[] {
  const found = Map.groupBy(results, ({ group, parameters }) => blockTitle(group, parameters));
  return [...found].map(([title, its]) => ({ title, results: its }));
}

function blockTitle(group: string, { bytes, ...rest }: Result['parameters']): string {
  const size = typeof bytes === 'number' ? `, ${formatValue(bytes, 'bytes')}` : '';
  const others = parametersText(rest);
  return `${group}${size}${others === '' ? '' : ` (${others})`}`;
}

/** A row for each subject, a column for each metric; of times also the rate per core, and the ratio of the first of ours to each. */
export function blockTable({ title, results }: Block): Table {
  const subjects = [...new Set(results.map(({ subject }) => subject))];
  const metrics = [...new Set(results.map(({ metric }) => metric))];
  const find = (subject: string, metric: string) =>
    results.find((result) => result.subject === subject && result.metric === metric);
  const base = find(subjects[0] ?? '', 'wall time');
  const extra = base
    ? [...(rateOf(base) === '' ? [] : [rateColumn]), ...(subjects.length > 1 ? [ratioColumn(base)] : [])]
    : [];
  const rows = subjects.map((subject) => {
    const cells = metrics.map((metric) => {
      const result = find(subject, metric);
      return result ? formatSamples(result) : '';
    });
    const time = find(subject, 'wall time');
    return [subject, ...cells, ...extra.map(({ of }) => (time ? of(time) : ''))];
  });
  return { title, heads: ['', ...metrics, ...extra.map(({ head }) => head)], rows };
}

interface Column {
  readonly head: string;
  /** Of a wall time. */
  readonly of: (time: Result) => string;
}

const rateColumn: Column = { head: 'MB/s per core', of: rateOf };

/** Empty where start-up is all there is. */
function rateOf({ samples, parameters: { bytes, threads } }: Result): string {
  if (typeof bytes !== 'number' || typeof threads !== 'number' || bytes < 1e6) return '';
  return formatValue(bytes / 1e6 / summary(samples).median / threads, 'count');
}

function ratioColumn(base: Result): Column {
  const of = (time: Result) =>
    time === base ? '' : formatSamples({ unit: 'ratio', samples: ratios(base.samples, time.samples) });
  return { head: 'first row to it', of };
}

export function changeTable(changes: readonly Change[]): Table {
  const rows = changes.map(({ result, ratio, tolerance, control, verdict }) => [
    blockTitle(result.group, result.parameters),
    result.subject,
    result.metric,
    `${formatValue(ratio, 'x')}`,
    `± ${Math.round(tolerance * 100)} %${control ? `, by ${control}` : ''}`,
    verdict,
  ]);
  return { title: 'Compared', heads: ['what', 'who', 'metric', 'new by old', 'noise', ''], rows };
}
