/** What the samples of a tournament say: results for the report, and values for the figures that are ratios to peers. */
import type { FigureId } from '../figures.ts';
import { figures } from '../figures.ts';
import type { FigureValue, Findings, Result } from '../result.ts';
import { ratios } from '../statistics.ts';
import type { Samples, Tournament } from './tournament.ts';

const memoryFigureBytes = 1e9;
const memoryFigureScenarios: readonly string[] = ['word-count', 'sort'];

export function tournamentFindings(tournament: Tournament): Findings {
  const measured = tournament.samples.filter(({ runs }) => runs.length > 0);
  return {
    results: measured.flatMap((samples) => resultsOf(tournament, samples)),
    series: [],
    figures: [...ratioFigures(tournament), ...absoluteFigures(tournament)],
    omissions: tournament.omissions,
  };
}

function resultsOf({ setting }: Tournament, samples: Samples): Result[] {
  const { subject, runs, shuffledBytes, rpcs } = samples;
  const { scenario, bytes, threads } = setting;
  const result = (metric: string, unit: Result['unit'], values: readonly number[]): Result => ({
    group: scenario.name,
    subject: subject.name,
    metric,
    unit,
    better: 'lower',
    samples: values,
    parameters: { bytes, threads },
  });
  // A program that ended before anybody looked has none.
  const peaks = runs.map(({ peakBytes }) => peakBytes).filter((bytes) => bytes > 0);
  return [
    result('wall time', 's', wallSeconds(samples)),
    result(
      'CPU time',
      'CPU s',
      runs.map(({ cpuSeconds }) => cpuSeconds),
    ),
    ...(peaks.length === 0 ? [] : [result('peak memory', 'bytes', peaks)]),
    ...(shuffledBytes === undefined ? [] : [result('bytes shuffled', 'bytes', [shuffledBytes])]),
    ...(rpcs === undefined ? [] : [result('RPCs', 'count', [rpcs])]),
  ];
}

const wallSeconds = ({ runs }: Samples) => runs.map(({ wallMs }) => wallMs / 1000);

/** `60 B`, `200 MB`, `1 GB`: sizes as --size takes them. */
export function sizeText(bytes: number): string {
  if (bytes >= 1e9) return `${Number((bytes / 1e9).toFixed(2))} GB`;
  return bytes >= 1e6 ? `${Number((bytes / 1e6).toFixed(1))} MB` : `${bytes} B`;
}

/** Of rounds in which both ran, if there are any. */
function ratiosOfRounds(mine: Samples, peer: Samples): number[] {
  const common = ({ runs }: Samples, { runs: others }: Samples) =>
    runs.filter(({ round }) => others.some((other) => other.round === round)).map(({ wallMs }) => wallMs);
  const ours = common(mine, peer);
  return ours.length > 0 ? ratios(ours, common(peer, mine)) : ratios(wallSeconds(mine), wallSeconds(peer));
}

/** Figures are named `scenario/variant/peer`, or `scenario/peer` where it is the first variant. */
function ratioFigures({ setting, samples }: Tournament): FigureValue[] {
  const { scenario, bytes } = setting;
  const find = (name: string) =>
    samples.find(({ subject, runs }) => subject.name === name && runs.length > 0);
  return figures.flatMap(({ id }) => {
    const [of, ...rest] = id.split('/');
    if (of !== scenario.name) return [];
    const peer = find(rest.at(-1) ?? '');
    const mine = find(`millrace, ${rest.length > 1 ? rest[0] : scenario.variants[0]?.name}`);
    if (!peer || !mine) return [];
    return [{ figure: id, of: sizeText(bytes), samples: ratiosOfRounds(mine, peer) }];
  });
}

function absoluteFigures({ setting, samples }: Tournament): FigureValue[] {
  const { scenario, bytes } = setting;
  const mine = samples.filter(({ subject, runs }) => subject.isOurs && runs.length > 0);
  const value = (figure: FigureId, of: string, values: readonly number[]) => ({
    figure,
    of,
    samples: values,
  });
  if (scenario.name === 'start-up') return mine.map((each) => value('start-up/run', '', wallSeconds(each)));
  if (!memoryFigureScenarios.includes(scenario.name) || bytes < memoryFigureBytes) return [];
  return mine.map((each) => {
    const of = `${scenario.title}, ${each.subject.name.replace('millrace, ', '')}, ${sizeText(bytes)}`;
    return value(
      'memory',
      of,
      each.runs.map(({ peakBytes }) => peakBytes),
    );
  });
}
