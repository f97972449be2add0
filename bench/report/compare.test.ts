import { describe, expect, it } from 'vitest';
import type { Result } from '../result.ts';
import { compareReports } from './compare.ts';
import { report, wallTime } from './test-report.ts';

const ours = 'millrace, generator';
function changeOf(before: readonly Result[], after: readonly Result[]) {
  const changes = compareReports(report({ results: before }), report({ results: after }));
  expect(changes).toHaveLength(1);
  return changes[0]!;
}

describe('compareReports', () => {
  it('finds a regression that is larger than the spread of the samples', () => {
    const change = changeOf([wallTime(ours, [10, 10.2, 10.4])], [wallTime(ours, [12, 12.2, 12.4])]);
    expect(change).toMatchObject({ verdict: 'worse', control: undefined });
    expect(change.ratio).toBeCloseTo(1.196, 3);
  });

  it('accepts what is within the noise: small changes, and changes smaller than the spread', () => {
    expect(changeOf([wallTime(ours, [10, 10, 10])], [wallTime(ours, [10.9, 10.9, 10.9])]).verdict).toBe(
      'same',
    );
    expect(changeOf([wallTime(ours, [8, 10, 12])], [wallTime(ours, [11, 13, 13])]).verdict).toBe('same');
  });

  it('accepts slower medians when the best run is as good as before', () => {
    expect(changeOf([wallTime(ours, [10, 10.1, 10.2])], [wallTime(ours, [10, 11.4, 11.4])]).verdict).toBe(
      'same',
    );
  });

  it('takes a machine that is slower today for what it is, by a control that both have', () => {
    const before = [wallTime(ours, [10, 10, 10]), wallTime('plain', [20, 20, 20])];
    const slower = [wallTime(ours, [15, 15, 15]), wallTime('plain', [30, 30, 30])];
    expect(changeOf(before, slower)).toMatchObject({ verdict: 'same', control: 'plain', ratio: 1 });
    const worse = [wallTime(ours, [15, 15, 15]), wallTime('plain', [20, 20, 20])];
    expect(changeOf(before, worse)).toMatchObject({ verdict: 'worse', ratio: 1.5 });
  });

  it('does not correct memory by a control', () => {
    const memory = (bytes: number): Result => ({
      ...wallTime(ours, [bytes]),
      metric: 'peak memory',
      unit: 'bytes',
    });
    const control = wallTime('plain', [20]);
    expect(changeOf([memory(100e6), control], [memory(150e6), wallTime('plain', [40])]).verdict).toBe(
      'worse',
    );
  });

  it('knows that more is better for a rate', () => {
    const rate = (value: number): Result => ({
      ...wallTime('8 workers', [value]),
      unit: 'MB/s',
      better: 'higher',
    });
    expect(changeOf([rate(100)], [rate(50)]).verdict).toBe('worse');
    expect(changeOf([rate(100)], [rate(200)]).verdict).toBe('better');
  });

  it('compares only what both reports have, with the same parameters, and no peers', () => {
    const before = report({ results: [wallTime(ours, [1], 200e6), wallTime('duckdb', [1])] });
    const after = report({
      results: [wallTime(ours, [9], 1e9), wallTime('duckdb', [9]), wallTime('new', [9])],
    });
    expect(compareReports(before, after)).toEqual([]);
  });
});
