import { expect, it } from 'vitest';
import { makeClusterView, makeWorkerView } from '../test/cluster-view-fixture.ts';
import { makePhase, makeView } from '../test/job-view-fixture.ts';
import { parseClusterView, parseJobView } from './convert.ts';

const view = makeView({
  state: 'FAILED',
  map: makePhase({ total: 2 }),
  failedAttempts: [
    { task: 'm0', attempt: 0, worker: 'w', atMs: 1, failure: { kind: 'internal', message: 'x' } },
  ],
  nonDeterministic: [
    { task: 'm0', partitions: [1], attempts: [{ attempt: 0, epoch: 1, worker: 'w' }] },
    { task: null, partitions: [2], attempts: [] },
  ],
  cause: { code: 'job-failed', message: 'x', task: 'm0', failure: { kind: 'internal', message: 'x' } },
});

it('gives back what was sent', () => {
  expect(parseJobView(JSON.stringify(view))).toEqual(view);
});

it.each([
  ['not JSON', '{', /not JSON/],
  ['no object', '[]', /no object/],
  ['a job id that would be a path', JSON.stringify({ ...view, jobId: '../x' }), /job id must match/],
  [
    'an unknown state',
    JSON.stringify({ ...view, state: 'DONE' }),
    /state is "DONE"; are both of the same version/,
  ],
  [
    'a phase without numbers',
    JSON.stringify({ ...view, map: { ...view.map, done: 'x' } }),
    /map\.done is "x"/,
  ],
  ['a missing phase', JSON.stringify({ ...view, reduce: undefined }), /reduce\.total/],
  [
    'a failed attempt without a failure',
    JSON.stringify({ ...view, failedAttempts: [{ task: 'm0' }] }),
    /failedAttempts/,
  ],
  [
    'a difference without attempts',
    JSON.stringify({ ...view, nonDeterministic: [{ task: 'm0', partitions: [1] }] }),
    /nonDeterministic/,
  ],
  [
    'a difference in what is no partition',
    JSON.stringify({ ...view, nonDeterministic: [{ task: null, partitions: ['x'], attempts: [] }] }),
    /nonDeterministic/,
  ],
  ['a cause without a code', JSON.stringify({ ...view, cause: { message: 'x' } }), /cause/],
  ['a time that is text', JSON.stringify({ ...view, endedAtMs: 'now' }), /endedAtMs is "now"/],
])('refuses %s', (_what, text, message) => {
  expect(() => parseJobView(text)).toThrow(message);
});

const cluster = makeClusterView({ workers: [makeWorkerView()] });

it('gives back the view of a cluster as it was sent', () => {
  expect(parseClusterView(JSON.stringify(cluster))).toEqual(cluster);
});

it.each([
  ['a clock that is text', { ...cluster, nowMs: 'now' }, /a view of the cluster whose nowMs is "now"/],
  ['a cluster without workers', { ...cluster, workers: undefined }, /workers is undefined/],
  ['a worker that is none', { ...cluster, workers: [7] }, /workerId is 7/],
  [
    'a worker in no known state',
    { ...cluster, workers: [{ ...makeWorkerView(), state: 'lost' }] },
    /worker state is "lost"/,
  ],
  [
    'a worker without slots',
    { ...cluster, workers: [{ ...makeWorkerView(), slots: null }] },
    /slots is null/,
  ],
  [
    'tasks that are no names',
    { ...cluster, workers: [{ ...makeWorkerView(), attempts: [1] }] },
    /attempts is \[1\]/,
  ],
])('refuses %s', (_what, view, message) => {
  expect(() => parseClusterView(JSON.stringify(view))).toThrow(message);
});
