import { expect, it } from 'vitest';
import { mergeReports } from './merge.ts';
import { report, wallTime } from './test-report.ts';

it('puts samples of the same thing behind each other, and keeps the rest apart', () => {
  const merged = mergeReports([
    report({
      results: [wallTime('millrace', [1, 2]), wallTime('duckdb', [3])],
      figures: [{ figure: 'start-up/run', of: '', samples: [0.3] }],
    }),
    report({
      results: [wallTime('millrace', [4]), wallTime('millrace', [9], 1e9)],
      figures: [{ figure: 'start-up/run', of: '', samples: [0.4] }],
    }),
  ]);
  expect(merged.results).toEqual([
    wallTime('millrace', [1, 2, 4]),
    wallTime('duckdb', [3]),
    wallTime('millrace', [9], 1e9),
  ]);
  expect(merged.figures).toEqual([{ figure: 'start-up/run', of: '', samples: [0.3, 0.4] }]);
});

it('adds up the time, and says options, peers and omissions once', () => {
  const missing = { group: 'all', subject: 'hadoop', why: 'not installed' };
  const one = report({ omissions: [missing] });
  const other = { ...report({ omissions: [missing] }), options: '--scenarios tls', mistakes: ['wrong'] };
  expect(mergeReports([one, one, other])).toMatchObject({
    tookSeconds: 3 * one.tookSeconds,
    options: '--runs 3 and --scenarios tls',
    peers: one.peers,
    omissions: [missing],
    mistakes: ['wrong'],
  });
});

it('refuses reports of different machines, and names both', () => {
  const one = report({});
  const other = { ...one, machine: { ...one.machine, cores: 64 } };
  expect(() => mergeReports([one, other])).toThrow(/cannot be merged: .*"cores":2.* and .*"cores":64/);
});
