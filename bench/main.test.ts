import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, describe, expect, it } from 'vitest';
import { until, untilNone } from '../test/until.ts';
import { figures } from './figures.ts';
import { processTree, residentBytes } from './process-tree.ts';
import { readReport } from './report/report.ts';
import { report, wallTime } from './report/test-report.ts';

const folder = mkdtempSync(join(tmpdir(), 'millrace-bench-'));
afterAll(() => rmSync(folder, { recursive: true }));

const main = join(import.meta.dirname, 'main.ts');
const bench = (...args: readonly string[]) =>
  spawnSync(process.execPath, [main, ...args], { encoding: 'utf8' });
const at = (name: string) => join(folder, name);

describe('the benchmark', () => {
  it('measures a scenario beside a peer, writes every kind of report, and compares with itself', () => {
    const files = ['--json', at('a.json'), '--html', at('a.html'), '--markdown', at('a.md')];
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
      ...files,
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

  it('fails when something is worse than in an earlier report, and says what', () => {
    writeFileSync(at('before.json'), JSON.stringify(report({ results: [wallTime('millrace', [1, 1, 1])] })));
    writeFileSync(at('after.json'), JSON.stringify(report({ results: [wallTime('millrace', [2, 2, 2])] })));
    const { status, stdout } = bench('--from', at('after.json'), '--compare', at('before.json'));
    expect(status).toBe(1);
    expect(stdout).toMatch(/word-count, 200 MB.* millrace +wall time +2x .* worse/);
    expect(stdout).toMatch(/1 results compared, 1 worse/);
  });

  it('ends all that it started when it is interrupted, and leaves only input behind', async () => {
    const child = spawn(
      process.execPath,
      [main, '--scenarios', 'sort', '--peers', 'none', '--data', at('interrupted')],
      {
        stdio: ['ignore', 'ignore', 'pipe'],
      },
    );
    const said = createInterface({ input: child.stderr });
    for await (const line of said) if (line.includes('round 1')) break;
    const started = await until('something is measured', () => {
      const [, ...pids] = processTree(child.pid!);
      return pids.length > 0 && pids;
    });
    child.kill('SIGINT');
    expect(await once(child, 'exit')).toEqual([130, null]);
    await untilNone('what it started', () => started.filter((pid) => residentBytes(pid).now > 0).map(String));
    expect(readdirSync(at('interrupted'))).toEqual([expect.stringContaining('records-50000000')]);
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
