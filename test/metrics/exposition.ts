/**
 * A strict reader of the Prometheus text format, version 0.0.4, after its specification: what promtool refuses is refused here, and
 * what it complains of (a counter not called `_total`, no HELP) as well. Not forgiving on purpose: it reads only our own output.
 */

export interface Sample {
  /** With `_bucket`, `_sum` or `_count` for those of a histogram. */
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface Family {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  readonly samples: readonly Sample[];
}

const nameStart = '[a-zA-Z_:][a-zA-Z0-9_:]*';
const headLine = new RegExp(`^# (HELP|TYPE) (${nameStart}) (.+)$`);
const sampleLine = new RegExp(`^(${nameStart})(?:\\{(.*)\\})? (\\S+)$`);
const label = /^([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\n"])*)"(,|$)/;
const number = /^(?:nan|[+-]?inf|[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)$/i;
const types = ['counter', 'gauge', 'histogram', 'summary', 'untyped'];
const suffixes: Readonly<Record<string, readonly string[]>> = {
  histogram: ['_bucket', '_sum', '_count'],
  summary: ['', '_sum', '_count'],
};

/** By family name. Throws naming the line that is wrong. */
export function parseExposition(text: string): Map<string, Family> {
  if (!text.endsWith('\n')) throw new Error('the last line has no end');
  const families = new Map<string, Family & { samples: Sample[] }>();
  let help: { readonly name: string; readonly text: string } | undefined;
  let current: (Family & { samples: Sample[] }) | undefined;
  const series = new Set<string>();
  for (const line of text.slice(0, -1).split('\n')) {
    if (line === '') continue;
    const [, keyword, name = '', rest = ''] = headLine.exec(line) ?? [];
    if (keyword === 'HELP') {
      if (help?.name === name || families.has(name)) throw new Error(`a second family of this name: ${line}`);
      help = { name, text: rest };
    } else if (keyword === 'TYPE') {
      if (help?.name !== name || families.has(name)) throw new Error(`not right after its HELP: ${line}`);
      checkType(name, rest);
      current = { name, help: help.text, type: rest, samples: [] };
      families.set(name, current);
    } else {
      const sample = parseSample(line);
      if (!current || !belongs(sample, current)) throw new Error(`outside of its family: ${line}`);
      const id = `${sample.name}${JSON.stringify(Object.entries(sample.labels).sort())}`;
      if (series.has(id)) throw new Error(`a series twice: ${line}`);
      series.add(id);
      current.samples.push(sample);
    }
  }
  for (const family of families.values()) if (family.type === 'histogram') checkHistogram(family);
  return families;
}

function checkType(name: string, type: string): void {
  if (!types.includes(type)) throw new Error(`${name} is of no known type: ${type}`);
  if ((type === 'counter') !== name.endsWith('_total')) throw new Error(`${name} is the name of no ${type}`);
}

function parseSample(line: string): Sample {
  const [, name, labelText = '', value = ''] = sampleLine.exec(line) ?? [];
  if (name === undefined || !number.test(value)) throw new Error(`not a sample: ${line}`);
  const labels: Record<string, string> = {};
  for (let rest = labelText; rest !== ''; ) {
    const match = label.exec(rest);
    if (!match || match[1]! in labels) throw new Error(`bad labels: ${line}`);
    labels[match[1]!] = match[2]!.replace(/\\(.)/g, (_, char) => (char === 'n' ? '\n' : char));
    rest = rest.slice(match[0].length);
  }
  return { name, labels, value: toNumber(value) };
}

function toNumber(text: string): number {
  return Number(text.replace(/^([+-]?)inf$/i, '$1Infinity').replace(/^nan$/i, 'NaN'));
}

function belongs({ name }: Sample, family: Family): boolean {
  return (suffixes[family.type] ?? ['']).some((suffix) => name === `${family.name}${suffix}`);
}

/** Per set of labels: buckets that grow up to +Inf, which is the count. */
function checkHistogram({ name, samples }: Family): void {
  const groups = Map.groupBy(samples, ({ labels: { le: _, ...labels } }) => JSON.stringify(labels));
  for (const group of groups.values()) {
    const buckets = group.filter((one) => one.name === `${name}_bucket`);
    const bounds = buckets.map((one) => toNumber(one.labels.le ?? 'NaN'));
    const counts = buckets.map((one) => one.value);
    const grows = (list: readonly number[], least: number) =>
      list.every((value, i) => i === 0 || value - list[i - 1]! >= least);
    if (bounds.at(-1) !== Number.POSITIVE_INFINITY || !grows(bounds, Number.MIN_VALUE) || !grows(counts, 0))
      throw new Error(`the buckets of ${name} are not cumulative up to +Inf`);
    const count = group.find((one) => one.name === `${name}_count`);
    if (count?.value !== counts.at(-1) || !group.some((one) => one.name === `${name}_sum`))
      throw new Error(`the count of ${name} is not that of its +Inf bucket, or its sum is missing`);
  }
}
