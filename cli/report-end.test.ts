import { expect, it } from 'vitest';
import { makeView } from '../test/job-view-fixture.ts';
import { exitCodeOf } from './report-end.ts';

const cause = (code: string) => ({ code, message: 'x', task: null, failure: null });

it.each([
  ['COMPLETED', null, 0],
  ['CANCELLED', cause('cancelled'), 4],
  ['FAILED', cause('job-failed'), 1],
  ['FAILED', cause('no-input'), 2],
  ['FAILED', cause('output-exists'), 2],
  ['FAILED', cause('store-failed'), 3],
  ['FAILED', cause('a code of the future'), 1],
  ['FAILED', null, 1],
] as const)('%s with cause %j exits accordingly', (state, why, exitCode) => {
  expect(exitCodeOf(makeView({ state, cause: why }))).toBe(exitCode);
});
