import { describe, expect, it } from 'vitest';
import type { WorkerState } from '../../lib/cluster-view.ts';
import { describeDifference } from '../../lib/difference.ts';
import { makePhase, makeView } from '../../test/job-view-fixture.ts';
import { explain, renderExplanation } from './explanation.ts';

function worker(state: WorkerState, slotsUsed: number) {
  return { state, slots: 2, slotsUsed };
}

describe('explain', () => {
  it.each([
    ['nobody is there', [], 'no worker is connected; millrace worker'],
    [
      'the last worker drains',
      [worker('draining', 0)],
      'no worker takes tasks (1 draining: millrace workers); millrace worker',
    ],
    [
      'nobody can take any',
      [worker('draining', 0), worker('disconnected', 0), worker('disconnected', 0)],
      'no worker takes tasks (1 draining, 2 disconnected: millrace workers)',
    ],
    [
      'others use every slot',
      [worker('ready', 2), worker('draining', 0)],
      'other jobs use every slot of 1 worker',
    ],
    ['it is only early', [worker('ready', 1)], '1 slot free'],
  ])('says what is missing when tasks wait and none runs: %s', (_, workers, why) => {
    const view = makeView({ map: makePhase({ total: 3, waiting: 3 }) });
    expect(explain(view, workers).findings[0]).toContain(`3 tasks waiting and none running: ${why}`);
  });

  it('counts what runs and what waits otherwise', () => {
    const view = makeView({ map: makePhase({ total: 3, running: 1, waiting: 2 }) });
    expect(explain(view, []).findings).toEqual(['1 task running, 2 waiting']);
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
    expect(explain(view, []).failures).toEqual([
      { what: 'no-space: disk full', kind: 'no-space', attempts: 2, tasks: ['m1', 'm2'], workers: ['w1'] },
      { what: 'internal: oops', kind: 'internal', attempts: 1, tasks: ['m0'], workers: ['w1'] },
    ]);
    expect(renderExplanation(view, [])).toContain('  2 failed attempts of m1, m2 on w1: no-space: disk full');
  });

  it('names maps that are not deterministic, and what to do', () => {
    const attempts = [{ attempt: 1, epoch: 2, worker: 'w1' }];
    const view = makeView({
      state: 'COMPLETED',
      nonDeterministic: [{ task: 'm0', partitions: [3], attempts }],
    });
    expect(explain(view, []).findings.slice(1)).toEqual([
      'm0 is not deterministic: m0.1 on w1 and an attempt before the restart made different output for partition 3',
      'map must yield the same for the same input: no random, clock, environment or order of replies in it',
    ]);
  });

  it('does not say again what ended the job', () => {
    const attempts = [
      { attempt: 0, epoch: 1, worker: 'w1' },
      { attempt: 1, epoch: 1, worker: 'w2' },
    ];
    const first = { task: 'm0', partitions: [3], attempts };
    const message = `${describeDifference(first)} (--on-nondeterminism fail); nothing is published`;
    const view = makeView({
      state: 'FAILED',
      cause: { code: 'non-deterministic', message, task: null, failure: null },
      nonDeterministic: [first, { ...first, task: 'm1' }],
    });
    const text = renderExplanation(view, []).join('\n');
    expect(text.match(/m0 is not deterministic/g)).toHaveLength(1);
    expect(text.match(/m1 is not deterministic/g)).toHaveLength(1);
    expect(text.match(/map must yield the same/g)).toHaveLength(1);
  });

  it('says how to run again what fails wherever it runs', () => {
    const failed = (kind: 'user-error' | 'internal') => {
      const failure =
        kind === 'internal'
          ? ({ kind, message: 'oops' } as const)
          : ({ kind, name: 'Error', message: 'oops', stack: '', where: 'reduce', record: '' } as const);
      return makeView({ failedAttempts: [{ task: 'r4', attempt: 0, worker: 'w1', failure, atMs: 0 }] });
    };
    expect(renderExplanation(failed('user-error'), []).at(-1)).toContain(
      `millrace replay ${failed('user-error').jobId} r4 --store URL`,
    );
    expect(renderExplanation(failed('internal'), []).at(-1)).toMatch(/millrace logs .* --task r4$/);
  });

  it('says on which disk, or on the way from whom, map output was damaged', () => {
    const damage = (map: number, where: 'disk' | 'transit', detail: string) => ({
      ...{ task: `m${map}`, attempt: 0, worker: 'w2', reduce: `r${map % 2}`, where, atMs: 0, detail },
    });
    const view = makeView({
      state: 'COMPLETED',
      damagedSegments: [damage(0, 'disk', 'first'), damage(5, 'disk', 'last'), damage(3, 'transit', 'wire')],
    });
    expect(explain(view, []).findings).toEqual([
      'it completed',
      'map output was damaged on the disk of w2: m0.0, m5.0, found by r0, r1 (last)',
      'map output was damaged on the way from w2: m3.0, found by r1 (wire)',
    ]);
  });

  it('says what was lost and made good', () => {
    const view = makeView({
      state: 'COMPLETED',
      map: makePhase({ total: 9, done: 9, reruns: 2, backups: 1 }),
    });
    expect(explain(view, []).findings).toEqual([
      'it completed',
      '2 tasks ran again because their output was lost or damaged',
      '1 backup attempt started because the first was slow',
    ]);
  });
});
