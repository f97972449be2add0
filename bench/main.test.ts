import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { figures } from './figures.ts';
import { readReport } from './report/report.ts';

const folder = mkdtempSync(join(tmpdir(), 'millrace-bench-'));
afterAll(() => rmSync(folder, { recursive: true }));

const main = join(import.meta.dirname, 'main.ts');
const bench = (...args: readonly string[]) =>
  spawnSync(process.execPath, [main, ...args], { encoding: 'utf8' });
const at = (name: string) => join(folder, name);

describe('the benchmark', () => {
  it('measures a scenario beside a peer, writes every kind of report, and compares with itself', () => {
    const report = ['--json', at('a.json'), '--html', at('a.html'), '--markdown', at('a.md')];
    const first = bench(
      '--scenarios',
      'grep',
      '--peers',
      'plain',
      '--size',
      '200kB',
      '--runs',
      '1',
      '--data',
      at('data'),
      ...report,
    );
    expect(first).toMatchObject({ status: 0 });
    for (const { what } of figures) expect(first.stdout).toContain(what);
    const { results, mistakes, peers } = readReport(at('a.json'));
    expect(mistakes).toEqual([]);
    expect(peers.map(({ name }) => name)).toEqual(['plain']);
    expect(results.map(({ subject, metric }) => `${subject}: ${metric}`)).toEqual(
      expect.arrayContaining(['millrace, generator: wall time', 'plain: wall time']),
    );
    expect(readFileSync(at('a.html'), 'utf8')).toContain('</html>');
    expect(readFileSync(at('a.md'), 'utf8')).toContain('## Figures to reach');

    const again = bench('--from', at('a.json'), '--compare', at('a.json'));
    expect(again).toMatchObject({ status: 0 });
    expect(again.stdout).toMatch(/\d+ results compared, 0 worse/);

    const merged = bench('--from', [at('a.json'), at('a.json')].join(','), '--json', at('both.json'));
    expect(merged).toMatchObject({ status: 0 });
    expect(readReport(at('both.json')).results).toHaveLength(results.length);
  });

  it.each([
    [['--scenarios', 'word-cuont'], /--scenarios: there is no word-cuont; there are start-up/],
    [['--compare', '/nowhere'], /\/nowhere cannot be read as a report/],
  ])('refuses %j', (args, message) => {
    const ended = bench(...args, '--data', at('data'));
    expect(ended.status).toBe(2);
    expect(ended.stderr).toMatch(message);
  });
});
