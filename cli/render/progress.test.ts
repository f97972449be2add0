import { describe, expect, it } from 'vitest';
import { makePhase, makeView } from '../../test/job-view-fixture.ts';
import { measureSpeed, renderPhase, renderProgress, renderProgressLine, type Sample } from './progress.ts';

const still = { recordsPerSecond: 0, leftMs: undefined };

function sample(atMs: number, done: number, records: number): Sample {
  const map = makePhase({ total: 10, done, running: 2, waiting: 8 - done, records });
  return { atMs, view: makeView({ map, reduce: makePhase({ total: 2, waiting: 2 }) }) };
}

describe('measureSpeed', () => {
  it('takes records from the last window and time left from the whole phase', () => {
    const speed = measureSpeed('map', sample(0, 0, 0), sample(6_000, 3, 500), sample(8_000, 4, 2_500));
    expect(speed).toEqual({ recordsPerSecond: 1_000, leftMs: 12_000 });
  });

  it('says nothing about the time left before a task is done', () => {
    expect(
      measureSpeed('map', sample(0, 0, 0), sample(0, 0, 0), sample(1_000, 0, 10)).leftMs,
    ).toBeUndefined();
  });

  it('has no negative or infinite speed when a rerun takes records back or no time has passed', () => {
    expect(
      measureSpeed('map', sample(0, 2, 90), sample(0, 2, 90), sample(1_000, 1, 40)).recordsPerSecond,
    ).toBe(0);
    expect(measureSpeed('map', sample(0, 0, 0), sample(0, 0, 0), sample(0, 1, 9)).recordsPerSecond).toBe(0);
  });
});

describe('renderPhase', () => {
  it('shows what is done, running, waiting, failed, rerun, how fast and how long', () => {
    const phase = makePhase({
      total: 24,
      done: 12,
      running: 4,
      waiting: 8,
      failedAttempts: 1,
      reruns: 2,
      backups: 1,
    });
    expect(renderPhase('map', phase, { recordsPerSecond: 120_000, leftMs: 12_000 })).toBe(
      'map     ━━━━━━────── 12/24 done  4 running  8 waiting  1 failed attempt  2 reruns  1 backup  120,000 records/s  about 12s left',
    );
  });

  it('leaves out what is zero, and counts the records of a phase that is done', () => {
    expect(renderPhase('reduce', makePhase({ total: 2, done: 2, records: 1_500 }), still)).toBe(
      'reduce  ━━━━━━━━━━━━ 2/2 done  1,500 records',
    );
  });
});

describe('renderProgress', () => {
  it('has a line per phase', () => {
    const now = sample(1_000, 1, 10);
    expect(renderProgress(now, now, now).map((line) => line.split(' ')[0])).toEqual(['map', 'reduce']);
  });

  it('says that the input is being listed before there are tasks', () => {
    const now = { atMs: 0, view: makeView({ state: 'SUBMITTED' }) };
    expect(renderProgress(now, now, now)).toEqual(['listing the input']);
  });

  it('leaves the phase without tasks of a map-only job out', () => {
    const now = { atMs: 0, view: makeView({ map: makePhase({ total: 3 }) }) };
    expect(renderProgress(now, now, now)).toHaveLength(1);
  });
});

describe('renderProgressLine', () => {
  it('is one line with the elapsed time, both phases, speed and time left', () => {
    const line = renderProgressLine(
      sample(1_000_000, 0, 0),
      sample(1_006_000, 3, 500),
      sample(1_008_000, 4, 2_500),
    );
    expect(line).toBe('8s  MAPPING  map 4/10 (2 running)  reduce 0/2  1,000 records/s  about 12s left');
  });
});
