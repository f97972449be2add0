/** What a benchmark measured, as the report keeps it: raw samples, and all that is needed to judge them again later. */
import type { FigureId } from './figures.ts';

export type Unit = 's' | 'CPU s' | 'bytes' | 'MB/s' | 'tasks/s' | 'ops/s' | 'ns' | 'count' | 'ratio';

/** Names and values that tell one measurement from another: `{ bytes: 200_000_000, slots: 2, tls: false }`. */
export type Parameters = Readonly<Record<string, string | number | boolean>>;

/** One quantity of one subject. Results of a group are shown side by side. */
export interface Result {
  /** The scenario or experiment: `word-count`, `scaling-workers`. */
  readonly group: string;
  /** Which system or variant: `millrace, callback`, `duckdb`, `8 workers`. */
  readonly subject: string;
  /** What was measured: `wall time`, `peak memory`. */
  readonly metric: string;
  readonly unit: Unit;
  readonly better: 'lower' | 'higher';
  /** In the order of rounds: sample i of each result of a group comes from round i, as far as it took part in it. Never empty. */
  readonly samples: readonly number[];
  /** Group, subject, metric and parameters together are unique in a report, and the same in the next one: `--compare` pairs by them. */
  readonly parameters: Parameters;
}

/** A curve: MB/s over seconds, times as fast over workers. */
export interface Series {
  readonly group: string;
  /** Of the plot that it is drawn in, beside the other series of that title: `data transfer rate`. */
  readonly plot: string;
  /** Of this line: `shuffle`. */
  readonly name: string;
  readonly xUnit: string;
  readonly yUnit: string;
  readonly points: readonly (readonly [x: number, y: number])[];
}

/** What was measured for one row of the table in figures.ts. */
export interface FigureValue {
  readonly figure: FigureId;
  /** Where one row is measured on several jobs or sizes: `word count, 200 MB`. */
  readonly of: string;
  /** In the unit of the figure; one for each round. */
  readonly samples: readonly number[];
}

/** Something that was not measured, with the reason: a report has no silent gaps. */
export interface Omission {
  readonly group: string;
  readonly subject: string;
  readonly why: string;
}

export interface Findings {
  readonly results: readonly Result[];
  readonly series: readonly Series[];
  readonly figures: readonly FigureValue[];
  readonly omissions: readonly Omission[];
}

export const nothingFound: Findings = { results: [], series: [], figures: [], omissions: [] };

export function together(all: readonly Findings[]): Findings {
  return {
    results: all.flatMap(({ results }) => results),
    series: all.flatMap(({ series }) => series),
    figures: all.flatMap(({ figures }) => figures),
    omissions: all.flatMap(({ omissions }) => omissions),
  };
}

/** `bytes=200000000 threads=2`, the same for the same parameters. */
export function parametersText(parameters: Parameters): string {
  const entries = Object.entries(parameters).sort(([a], [b]) => (a < b ? -1 : 1));
  return entries.map(([name, value]) => `${name}=${value}`).join(' ');
}

/** What results of two reports are paired by. */
export function resultKey({ group, subject, metric, parameters }: Result): string {
  return [group, subject, metric, parametersText(parameters)].join('\n');
}
