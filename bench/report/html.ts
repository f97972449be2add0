/** A report as one page that needs nothing else: no script, no font and no picture from anywhere. */
import { ratios } from '../statistics.ts';
import { figureSummary } from './figure-rows.ts';
import { machineText } from './markdown.ts';
import type { Report } from './report.ts';
import { escapeXml, linePlot, type PlotRow, samplePlot } from './svg.ts';
import { type Block, blocks, blockTable, figureTable, omissionTable, type Table } from './tables.ts';
import { formatSamples } from './values.ts';

const style = `
:root { color-scheme: light dark; --text: #1c2330; --soft: #667085; --ground: #ffffff; --line: #d9dee7; --ours: #2f6fde; --theirs: #a8b3c5; }
@media (prefers-color-scheme: dark) { :root { --text: #e6e9ef; --soft: #98a2b3; --ground: #14181f; --line: #303846; --ours: #6b9cf5; --theirs: #56627a; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--text); background: var(--ground); max-width: 980px; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.15rem; margin-top: 2.2rem; }
p, .soft { color: var(--soft); }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: 13px; }
th, td { text-align: left; padding: 0.3rem 0.7rem 0.3rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
td.missed, td.reached, td.unmeasured { white-space: nowrap; } td.unmeasured { color: var(--soft); }
td.missed { color: #d64545; font-weight: 600; } td.reached { color: #2e9e5b; font-weight: 600; }
.wrong { color: #d64545; font-weight: 600; }
svg { width: 100%; height: auto; margin: 0.6rem 0; } svg text { fill: var(--text); font-size: 12px; }
.grid { stroke: var(--line); } .spread { stroke: var(--text); stroke-width: 1.5; }
.bar { fill: var(--theirs); } .bar.ours { fill: var(--ours); } .sample { fill: var(--ground); stroke: var(--text); stroke-width: 1.2; }
.curve { fill: none; stroke-width: 2; }
${['#2f6fde', '#d9822b', '#2e9e5b', '#a855c7', '#d64545', '#3aa6b9']
  .map(
    (colour, index) =>
      `.curve.line-${index} { stroke: ${colour}; } .key.line-${index}, .point.line-${index} { fill: ${colour}; }`,
  )
  .join('\n')}
`;

export function html(report: Report): string {
  const wrong = report.mistakes.map((mistake) => `<p class="wrong">${escapeXml(mistake)}</p>`);
  const peers = report.peers.map(({ title, version }) => `<li>${escapeXml(`${title} ${version}`)}</li>`);
  return [
    '<!DOCTYPE html>',
    '<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">',
    `<title>Millrace benchmarks, ${escapeXml(report.startedAt.slice(0, 10))}</title><style>${style}</style></head><body>`,
    `<h1>Millrace benchmarks</h1><p>${escapeXml(machineText(report))}</p>`,
    ...wrong,
    tableHtml(figureTable(report)),
    `<p>${escapeXml(figureSummary(report))}</p>`,
    ...curves(report),
    ...blocks(report).map((block) => blockHtml(block, report)),
    peers.length > 0 ? `<h2>Peers</h2><ul>${peers.join('')}</ul>` : '',
    report.omissions.length > 0 ? tableHtml(omissionTable(report)) : '',
    '</body></html>\n',
  ].join('\n');
}

const verdictClasses: Readonly<Record<string, string>> = {
  MISSED: 'missed',
  reached: 'reached',
  'aim reached': 'reached',
  'not measured': 'unmeasured',
};

function tableHtml({ title, heads, rows }: Table, level = 'h2'): string {
  const cell = (text: string) => {
    const verdict = verdictClasses[text];
    return `<td${verdict ? ` class="${verdict}"` : ''}>${escapeXml(text)}</td>`;
  };
  const head = heads.map((text) => `<th>${escapeXml(text)}</th>`).join('');
  const body = rows.map((cells) => `<tr>${cells.map(cell).join('')}</tr>`).join('\n');
  const table = `<table><thead><tr>${head}</tr></thead><tbody>${body}</tbody></table>`;
  return `<${level}>${escapeXml(title)}</${level}><div class="scroll">${table}</div>`;
}

/** The table, and a plot of each metric that was sampled more than once or of more than one subject; of times also the ratios. */
function blockHtml(block: Block, report: Report): string {
  const peers = new Set(report.peers.map(({ name }) => name));
  const metrics = Map.groupBy(block.results, ({ metric }) => metric);
  const plots = [...metrics].map(([metric, results]) => {
    const rows = results.map((result): PlotRow => {
      const isOurs = !peers.has(result.subject);
      return { label: result.subject, samples: result.samples, text: formatSamples(result), isOurs };
    });
    const title = `${block.title}: ${metric}`;
    return rows.length > 1 ? plotHtml(title, samplePlot(title, rows, results[0]!.unit)) : '';
  });
  return [tableHtml(blockTable(block)), ...plots, ratioPlot(block, peers)].join('\n');
}

/** How many times as long the first of ours took as each peer. */
function ratioPlot({ title, results }: Block, peers: ReadonlySet<string>): string {
  const times = results.filter(({ metric }) => metric === 'wall time');
  const ours = times.find(({ subject }) => !peers.has(subject));
  const theirs = times.filter(({ subject }) => peers.has(subject));
  if (!ours || theirs.length === 0) return '';
  const rows = theirs.map(({ subject, samples }): PlotRow => {
    const values = ratios(ours.samples, samples);
    return {
      label: `to ${subject}`,
      samples: values,
      text: formatSamples({ unit: 'ratio', samples: values }),
      isOurs: true,
    };
  });
  const name = `${title}: ratio of ${ours.subject} to each peer`;
  return plotHtml(name, samplePlot(name, rows, 'ratio'));
}

function curves({ series }: Report): string[] {
  const plots = Map.groupBy(series, ({ group, plot }) => `${group}: ${plot}`);
  return [...plots].map(([title, its]) => `<h2>${escapeXml(title)}</h2>${linePlot(title, its)}`);
}

const plotHtml = (title: string, svg: string) => `<p>${escapeXml(title)}</p>${svg}`;
