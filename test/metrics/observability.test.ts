/** What is shipped to look at metrics: every query is one, and asks for metrics and labels that there are. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parser } from '@prometheus-io/lezer-promql';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { Metrics } from '../../coordinator/metrics/metrics.ts';
import { parseExposition } from './exposition.ts';

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly annotations: Readonly<Record<string, string>>;
}
interface Panel {
  readonly title: string;
  readonly targets: readonly { readonly expr: string; readonly legendFormat: string }[];
}

const root = join(import.meta.dirname, '../..');
const read = (path: string) => readFileSync(join(root, path), 'utf8');
const { groups } = parse(read('deploy/observability/alert-rules.yaml')) as {
  groups: readonly { rules: readonly Rule[] }[];
};
const rules = groups.flatMap((group) => group.rules);
const { panels } = JSON.parse(read('deploy/observability/grafana-dashboard.json')) as {
  panels: readonly Panel[];
};
const documented = [...read('docs/metrics.md').matchAll(/^\| ((?:`mr_\w+`(?:, )?)+) \| ([^|]*)\|/gm)].flatMap(
  ([, names = '', labels = '']) =>
    [...names.matchAll(/`(\w+)`/g)].map(
      ([, name = '']) => [name, [...labels.matchAll(/`(\w+)`/g)].map(([, label]) => label)] as const,
    ),
);
const labelsOf = new Map(documented);

const none = { pending: 0, running: 0, completed: 0, failed: 0 };
const empty = {
  ...{ nowMs: 1, epoch: 1, slots: 0, slotsUsed: 0, jobs: {}, jobsActive: 0 },
  ...{ maps: none, reduces: none, workers: [] },
};

/** The metric names and label names of a query. Throws for what is no query. */
function namesIn(query: string): { metrics: string[]; labels: string[] } {
  const text = query.replaceAll('$__rate_interval', '5m');
  const metrics: string[] = [];
  const labels: string[] = [];
  parser.parse(text).iterate({
    enter({ type, name, from, to }) {
      if (type.isError) throw new Error(`not PromQL at ${from}: ${query}`);
      if (name === 'Identifier') metrics.push(text.slice(from, to));
      if (name === 'LabelName') labels.push(text.slice(from, to));
    },
  });
  return { metrics, labels };
}

test('the documented metrics are those that are served', async () => {
  const served = parseExposition(await new Metrics('1').text(empty)).keys();
  expect(documented.map(([name]) => name).sort()).toEqual(
    [...served].filter((n) => n.startsWith('mr_')).sort(),
  );
});

test.each([
  ...rules.map(({ alert, expr }) => [`alert ${alert}`, expr, ''] as const),
  ...panels.flatMap(({ title, targets }) =>
    targets.map(({ expr, legendFormat }) => [`panel ${title}`, expr, legendFormat] as const),
  ),
])('%s asks for what there is', (_, expr, legend) => {
  const { metrics, labels } = namesIn(expr);
  const known = metrics.map((name) => labelsOf.get(name) ?? labelsOf.get(name.replace(/_bucket$/, '')));
  expect(metrics.filter((_name, i) => !known[i])).toEqual([]);
  const shown = [...legend.matchAll(/\{\{(\w+)\}\}/g)].map(([, label = '']) => label);
  for (const label of [...labels, ...shown]) expect([...known.flat(), 'le']).toContain(label);
  expect(metrics.length).toBeGreaterThan(0);
});

test('there are five alerts, each with a summary and what to do', () => {
  expect(rules).toHaveLength(5);
  for (const { annotations } of rules) expect(Object.keys(annotations)).toEqual(['summary', 'description']);
});

test('a query with a typo, or of a metric that is not served, would be seen', () => {
  expect(() => namesIn('sum(rate(mr_jobs[5m])')).toThrow('not PromQL');
  expect(labelsOf.has(namesIn('mr_job').metrics[0] ?? '')).toBe(false);
});
