import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { figures } from '../figures.ts';
import { figureRows, figureSummary } from './figure-rows.ts';
import { html } from './html.ts';
import { markdown, writeMarkdown } from './markdown.ts';
import { readReport } from './report.ts';
import { linePlot, samplePlot, ticks } from './svg.ts';
import { blocks, blockTable } from './tables.ts';
import { report, wallTime } from './test-report.ts';

const folder = mkdtempSync(join(tmpdir(), 'millrace-report-'));
afterAll(() => rmSync(folder, { recursive: true }));

const full = report({
  results: [
    wallTime('millrace, generator', [4, 5, 4.5]),
    wallTime('duckdb', [2, 2, 2]),
    wallTime('plain', [22]),
    { ...wallTime('millrace, generator', [250e6]), metric: 'peak memory', unit: 'bytes' },
  ],
  series: [
    {
      group: 'sort',
      plot: 'data transfer rate',
      name: 'input',
      xUnit: 's',
      yUnit: 'MB/s',
      points: [
        [0, 0],
        [1, 80],
        [2, 40],
      ],
    },
    {
      group: 'sort',
      plot: 'data transfer rate',
      name: 'shuffle',
      xUnit: 's',
      yUnit: 'MB/s',
      points: [
        [0, 0],
        [2, 60],
      ],
    },
  ],
  figures: [{ figure: 'word-count/generator/duckdb', of: '200 MB', samples: [2, 2.5, 2.25] }],
  omissions: [{ group: 'all', subject: 'hadoop', why: 'not installed: <command> & more' }],
});

/** Tags of XML or HTML that are opened and not closed, in order; throws for one that closes another. */
function openTags(text: string): string[] {
  const open: string[] = [];
  const empty = /^(meta|br|hr|img|link)$/;
  for (const [, slash, name = '', rest = ''] of text.matchAll(/<(\/?)([a-zA-Z][a-zA-Z0-9]*)([^<>]*)>/g)) {
    if (slash === '/') {
      const last = open.pop();
      if (last !== name) throw new Error(`</${name}> closes <${last}>`);
    } else if (!empty.test(name) && !rest.endsWith('/')) open.push(name);
  }
  return open;
}

describe('the page of a report', () => {
  const page = html(full);

  it('is well-formed, and needs nothing from anywhere', () => {
    expect(openTags(page.replace(/<style>.*?<\/style>/s, ''))).toEqual([]);
    expect(page).not.toMatch(/<script|<link|@import|url\(|src=/);
    expect(page.replaceAll('http://www.w3.org/2000/svg', '')).not.toMatch(/https?:\/\//);
    expect(page).toContain('prefers-color-scheme: dark');
  });

  it('escapes what it did not write itself', () => {
    expect(page).toContain('not installed: &#60;command&#62; &#38; more');
    expect(page).toContain('a processor &#60;of &#38; some kind&#62;');
  });

  it('has a dot for every sample, and every figure, measured or not', () => {
    const times =
      /<p>word-count, 200 MB \(threads=2\): wall time<\/p>(<svg.*?<\/svg>)/s.exec(page)?.[1] ?? '';
    expect(times.match(/class="sample"/g)).toHaveLength(7);
    for (const { what } of figures) expect(page).toContain(what.replaceAll('+', '&#43;'));
    expect(page.match(/<td class="unmeasured">not measured<\/td>/g)).toHaveLength(figures.length - 1);
  });

  it('draws the ratio to each peer, and each curve', () => {
    expect(page).toContain('ratio of millrace, generator to each peer');
    expect(page.match(/<polyline/g)).toHaveLength(2);
  });

  it('says what was wrong', () => {
    expect(html({ ...full, mistakes: ['sort by duckdb: the answer is another'] })).toContain('class="wrong"');
  });
});

describe('tables', () => {
  it('have the rate per core and the ratio of the first row to each', () => {
    const { heads, rows } = blockTable(blocks(full)[0]!);
    expect(heads).toEqual(['', 'wall time', 'peak memory', 'MB/s per core', 'first row to it']);
    expect(rows).toEqual([
      ['millrace, generator', '4.5 s (4 to 5)', '250 MB', '22.2', ''],
      ['duckdb', '2 s', '', '50', '2.25x (2 to 2.5)'],
      ['plain', '22 s', '', '4.55', '0.205x (0.182 to 0.227)'],
    ]);
  });

  it('are Markdown with as many cells in each row as there are heads', () => {
    const rows = markdown(full)
      .split('\n')
      .filter((line) => line.startsWith('|'));
    expect(rows.length).toBeGreaterThan(figures.length);
    expect(markdown(full)).toContain(
      '| word count, user map with yield: 200 MB | DuckDB | <= 2.4x | 1.8x | 2.25x (2x to 2.5x) | reached |',
    );
    expect(markdown(full)).toContain('not installed: <command> & more');
  });
});

describe('writeMarkdown', () => {
  it('replaces what is between the marks, again and again, and leaves the rest', () => {
    const path = join(folder, 'page.md');
    writeFileSync(path, 'before\n<!-- results -->\nold\n<!-- end of results -->\nafter\n');
    for (let time = 0; time < 2; time++) writeMarkdown(path, full);
    const text = readFileSync(path, 'utf8');
    expect(text).toMatch(/^before\n<!-- results -->\n\n2026-11-21, .*\n<!-- end of results -->\nafter\n$/s);
    expect(text).not.toContain('old');
    expect(text.match(/## Figures to reach/g)).toHaveLength(1);
  });

  it('is the whole of a file without marks', () => {
    const path = join(folder, 'new.md');
    writeMarkdown(path, full);
    expect(readFileSync(path, 'utf8')).toBe(markdown(full));
  });
});

describe('figureRows', () => {
  const verdicts = (samples: readonly number[], figure: 'word-count/generator/duckdb' | 'speed-up/workers') =>
    figureRows({ figures: [{ figure, of: '', samples }] }).find(({ figure: { id } }) => id === figure)
      ?.verdict;

  it('judges medians by what must be and what is aimed at', () => {
    expect(verdicts([1.8, 9, 1], 'word-count/generator/duckdb')).toBe('aim reached');
    expect(verdicts([2.4], 'word-count/generator/duckdb')).toBe('reached');
    expect(verdicts([2.5], 'word-count/generator/duckdb')).toBe('MISSED');
    expect(verdicts([6.4], 'speed-up/workers')).toBe('MISSED');
    expect(verdicts([7.3], 'speed-up/workers')).toBe('aim reached');
  });

  it('are summed up, and those that are missed are named with both values', () => {
    const [duckdb, spark] = ['word-count/generator/duckdb', 'word-count/generator/spark'] as const;
    const values = [
      { figure: duckdb, of: '200 MB', samples: [1.5] },
      { figure: duckdb, of: '1 GB', samples: [3, 2, 3] },
      { figure: spark, of: '', samples: [0.25] },
    ];
    expect(figureSummary({ figures: values })).toBe(
      `Of ${figures.length + 1} rows 1 reach the aim, 1 what must be, 1 miss it, and ${figures.length - 2} are not measured. ` +
        'Missed: word count, user map with yield: 1 GB against DuckDB (3x, must be <= 2.4x).',
    );
  });

  it('has a row for every figure', () => {
    expect(figureRows({ figures: [] }).map(({ verdict }) => verdict)).toEqual(
      figures.map(() => 'not measured'),
    );
  });
});

describe('plots', () => {
  it('are well-formed without any samples or points to speak of', () => {
    expect(openTags(samplePlot('one', [{ label: 'a', samples: [0], text: '0', isOurs: true }], 's'))).toEqual(
      [],
    );
    expect(openTags(linePlot('none', []))).toEqual([]);
    expect(samplePlot('one', [{ label: 'a', samples: [0], text: '0', isOurs: true }], 's')).not.toContain(
      'NaN',
    );
  });

  it('have ticks at round numbers', () => {
    expect(ticks(9)).toEqual([0, 2, 4, 6, 8]);
    expect(ticks(0.5)).toEqual([0, 0.1, 0.2, 0.3, 0.4, 0.5]);
    expect(ticks(0)).toEqual([0]);
  });
});

describe('readReport', () => {
  it('reads what was written', () => {
    const path = join(folder, 'report.json');
    writeFileSync(path, JSON.stringify(full));
    expect(readReport(path)).toEqual(full);
  });

  it.each([
    ['no JSON', '{', /cannot be read as a report/],
    ['another version', '{"version":0,"results":[]}', /is not a report of version 1/],
  ])('refuses %s', (_what, text, message) => {
    const path = join(folder, 'bad.json');
    writeFileSync(path, text);
    expect(() => readReport(path)).toThrow(message);
  });
});
