import { expect, test } from 'vitest';
import { toJobId } from '../../lib/ids.ts';
import type { JobEventLine } from '../../lib/job-event.ts';
import { seriesOf, transfersOf } from './transfer-rate.ts';

const nothing = { inputRecords: 0, outputRecords: 0, spills: 0, spillBytes: 0 };

function ended(task: string, atMs: number, durationMs: number, sums: object): JobEventLine {
  const end = { task, attempt: 0, worker: 'w', outcome: 'done', durationMs, failure: null } as const;
  const all = { ...nothing, inputBytes: 0, outputBytes: 0, fetchMs: 0, ...sums };
  return { atMs, jobId: toJobId('j'), type: 'attempt-ended', ...end, sums: all };
}

test('the bytes of an attempt are spread over the seconds it took for them', () => {
  const events = [
    ended('m0', 11_500, 1_500, { inputBytes: 3e6 }),
    ended('r0', 14_000, 3_000, { inputBytes: 2e6, outputBytes: 4e6, fetchMs: 2_000 }),
  ];
  const rates = seriesOf(transfersOf(events), 10_000, 14_000).map(({ name, points }) => [
    name,
    points.map(([, rate]) => rate),
  ]);
  expect(rates).toEqual([
    ['input', [2, 1, 0, 0]],
    ['shuffle', [0, 1, 1, 0]],
    ['output', [0, 0, 0, 4]],
  ]);
});

test('attempts that lost, and samples, moved nothing that counts', () => {
  const lost = { ...ended('m0', 2_000, 1_000, { inputBytes: 1 }), outcome: 'superseded' } as JobEventLine;
  expect(transfersOf([lost, ended('s0', 2_000, 1_000, { inputBytes: 1 })])).toEqual([]);
});
