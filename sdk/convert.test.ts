import { expect, it } from 'vitest';
import { makePhase, makeView } from '../test/job-view-fixture.ts';
import { parseJobView } from './convert.ts';

const view = makeView({
  state: 'FAILED',
  map: makePhase({ total: 2 }),
  failedAttempts: [
    { task: 'm0', attempt: 0, worker: 'w', atMs: 1, failure: { kind: 'internal', message: 'x' } },
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
  ['a cause without a code', JSON.stringify({ ...view, cause: { message: 'x' } }), /cause/],
  ['a time that is text', JSON.stringify({ ...view, endedAtMs: 'now' }), /endedAtMs is "now"/],
])('refuses %s', (_what, text, message) => {
  expect(() => parseJobView(text)).toThrow(message);
});
