import { describe, expect, it } from 'vitest';
import { makePhase, makeView } from '../../test/job-view-fixture.ts';
import { renderList, renderStatus, renderSummary } from './summary.ts';

const done = makeView({
  state: 'COMPLETED',
  endedAtMs: 1_004_200,
  map: makePhase({ total: 2, done: 2, records: 120_000, bytes: 64 * 1024 ** 2, failedAttempts: 1 }),
  reduce: makePhase({ total: 1, done: 1, records: 900 }),
  counters: { words: 1_234, bad: 5 },
});

describe('renderSummary', () => {
  it('says what was done, where the output is, the counters and what to type next', () => {
    expect(renderSummary(done, { showOutput: true, showCommands: true })).toEqual([
      '✔ word-count done in 4.2s: 120,000 records (64 MiB) read',
      '  output   /out/',
      '  counters bad 5',
      '           words 1,234',
      '  retried  1 failed attempt',
      '  next     millrace results job-1 --head 10 · millrace status job-1',
    ]);
  });

  it('names maps that are not deterministic, and what to do', () => {
    const attempts = [
      { attempt: 0, epoch: 1, worker: 'w1' },
      { attempt: 1, epoch: 1, worker: 'w2' },
    ];
    const nonDeterministic = [0, 1, 2, 3, 4].map((map) => ({ task: `m${map}`, partitions: [map], attempts }));
    const lines = renderSummary({ ...done, nonDeterministic }, { showOutput: false, showCommands: false });
    expect(lines.slice(1, 7)).toEqual([
      '  differs  m0 is not deterministic: m0.0 on w1 and m0.1 on w2 made different output for partition 0',
      '           m1 is not deterministic: m1.0 on w1 and m1.1 on w2 made different output for partition 1',
      '           m2 is not deterministic: m2.0 on w1 and m2.1 on w2 made different output for partition 2',
      '           2 more: millrace status --json',
      '           the output is that of one run of each map; another run may give another',
      '           map must yield the same for the same input: no random, clock, environment or order of replies in it',
    ]);
    expect(renderStatus({ ...done, nonDeterministic }, 0).join()).toContain('m0 is not deterministic');
  });

  it('names the map that is the cause of a failure once', () => {
    const attempts = [
      { attempt: 0, epoch: 1, worker: 'w1' },
      { attempt: 1, epoch: 1, worker: 'w2' },
    ];
    const nonDeterministic = [0, 1].map((map) => ({ task: `m${map}`, partitions: [map], attempts }));
    const message =
      'm1 is not deterministic: m1.0 on w1 and m1.1 on w2 made different output for partition 1 (--on-nondeterminism fail); nothing is published';
    const cause = { code: 'non-deterministic', message, task: 'm1', failure: null } as const;
    const text = renderStatus({ ...done, state: 'FAILED', cause, nonDeterministic }, 0).join('\n');
    expect(text.match(/m0 is not deterministic/g)).toHaveLength(1);
    expect(text.match(/m1 is not deterministic/g)).toHaveLength(1);
    expect(text).toContain('map must yield the same');
  });

  it('does not name a folder that is gone', () => {
    expect(renderSummary(done, { showOutput: false, showCommands: false }).join('\n')).not.toContain('/out/');
  });
});

describe('renderStatus', () => {
  it('shows the last failed attempt of a job that still runs', () => {
    const view = makeView({
      map: makePhase({ total: 4, done: 1, running: 1, waiting: 2, failedAttempts: 1 }),
      failedAttempts: [
        {
          task: 'm2',
          attempt: 1,
          worker: 'w1',
          atMs: 0,
          failure: { kind: 'timeout', message: 'hung\nfor long', idleMs: 1 },
        },
      ],
    });
    expect(renderStatus(view, 1_003_000)).toEqual([
      'word-count  job-1',
      '  state    MAPPING, 3s',
      '  input    /logs/*.gz',
      '  output   /out/',
      '  map     ━━━───────── 1/4 done  1 running  2 waiting  1 failed attempt',
      '  failed   m2.1 on w1: hung',
    ]);
  });

  it('stops the clock of a job that has ended', () => {
    expect(renderStatus(done, 9_999_999)[1]).toBe('  state    COMPLETED, 4.2s');
  });
});

describe('renderList', () => {
  it('aligns columns, numbers to the right', () => {
    const other = makeView({ name: 'x', map: makePhase({ total: 10, done: 3, failedAttempts: 12 }) });
    expect(renderList([done, other], 1_001_000)).toEqual([
      'ID     NAME        STATE      MAP   REDUCE  FAILED  TIME',
      'job-1  word-count  COMPLETED  2/2   1/1          1  4.2s',
      'job-1  x           MAPPING    3/10  0/0         12  1s',
    ]);
  });

  it('is empty for no jobs', () => {
    expect(renderList([], 0)).toEqual([]);
  });
});
