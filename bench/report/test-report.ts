/** A report with fixed samples, for tests. */
import { type Findings, nothingFound, type Result } from '../result.ts';
import { type Report, reportVersion } from './report.ts';

export function wallTime(subject: string, samples: readonly number[], bytes = 200e6): Result {
  const parameters = { bytes, threads: 2 };
  return {
    group: 'word-count',
    subject,
    metric: 'wall time',
    unit: 's',
    better: 'lower',
    samples,
    parameters,
  };
}

export function report(findings: Partial<Findings>): Report {
  return {
    version: reportVersion,
    startedAt: '2026-11-21T16:25:00.000Z',
    tookSeconds: 1200,
    options: '--runs 3',
    machine: {
      processor: 'a processor <of & some kind>',
      cores: 2,
      memoryBytes: 24e9,
      system: 'Linux 6.1',
      node: '24.1.0',
      millrace: '0.1.0',
    },
    peers: [
      { name: 'plain', title: 'plain Node script', version: 'Node 24' },
      { name: 'duckdb', title: 'DuckDB', version: '1.5' },
    ],
    mistakes: [],
    ...nothingFound,
    ...findings,
  };
}
