import { describe, expect, it } from 'vitest';
import { makePhase, makeView } from '../../test/job-view-fixture.ts';
import { explain, renderExplanation } from './explanation.ts';

describe('explain', () => {
  it('asks for a worker when tasks wait and none runs', () => {
    const view = makeView({ map: makePhase({ total: 3, waiting: 3 }) });
    expect(explain(view).findings[0]).toMatch(/^3 tasks waiting and none running: is there a worker/);
  });

  it('counts what runs and what waits otherwise', () => {
    const view = makeView({ map: makePhase({ total: 3, running: 1, waiting: 2 }) });
    expect(explain(view).findings).toEqual(['1 task running, 2 waiting']);
  });

  it('puts equal failures together, the most frequent first', () => {
    const oops = { kind: 'internal', message: 'oops' } as const;
    const full = { kind: 'no-space', message: 'disk full', path: '/x' } as const;
    const attempt = (task: string, worker: string, failure: typeof oops | typeof full) => ({
      ...{ task, worker, failure },
      attempt: 0,
      atMs: 0,
    });
    const view = makeView({
      map: makePhase({ total: 3, running: 1, failedAttempts: 3 }),
      failedAttempts: [attempt('m0', 'w1', oops), attempt('m1', 'w1', full), attempt('m2', 'w1', full)],
    });
    expect(explain(view).failures).toEqual([
      { what: 'no-space: disk full', kind: 'no-space', attempts: 2, tasks: ['m1', 'm2'], workers: ['w1'] },
      { what: 'internal: oops', kind: 'internal', attempts: 1, tasks: ['m0'], workers: ['w1'] },
    ]);
    expect(renderExplanation(view)).toContain('  2 failed attempts of m1, m2 on w1: no-space: disk full');
  });

  it('says what was lost and made good', () => {
    const view = makeView({
      state: 'COMPLETED',
      map: makePhase({ total: 9, done: 9, reruns: 2, backups: 1 }),
    });
    expect(explain(view).findings).toEqual([
      'it completed',
      '2 tasks ran again because the worker that held the output was lost',
      '1 backup attempt started because the first was slow',
    ]);
  });
});
