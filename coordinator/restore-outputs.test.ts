import { expect, test } from 'vitest';
import { type JobId, toJobId } from '../lib/ids.ts';
import type { JobSpec } from '../lib/job-spec.ts';
import type { PersistRecord } from './core/effects.ts';
import type { Job } from './core/state.ts';
import { restoreOutputs } from './restore-outputs.ts';

const job = (id: string) =>
  ({ spec: { jobId: toJobId(id), outputUri: `file:///${id}/` } as JobSpec }) as unknown as Job;
const stopping = (id: string, more: { hasCommitBegun?: true }): PersistRecord => {
  const cause = { code: 'store-failed', message: '', task: null, failure: null };
  return { type: 'job-stopping', at: 1, jobId: toJobId(id), outcome: { state: 'FAILED', cause, ...more } };
};

test('outputs of jobs that have not ended are in use, and those whose commit began may be visible', () => {
  const records: PersistRecord[] = [
    { type: 'job-committing', at: 1, jobId: toJobId('committing'), commit: {} as never },
    { type: 'job-committing', at: 1, jobId: toJobId('ended'), commit: {} as never },
    stopping('undone', { hasCommitBegun: true }),
    stopping('stopping', {}),
  ];
  const activeJobs = new Set(['running', 'committing', 'undone', 'stopping'].map(job));
  const [outputsInUse, commitsBegun] = [new Set<string>(), new Set<JobId>()];
  restoreOutputs({ activeJobs }, records, { outputsInUse, commitsBegun });
  expect([...outputsInUse]).toEqual([
    'file:///running/',
    'file:///committing/',
    'file:///undone/',
    'file:///stopping/',
  ]);
  expect([...commitsBegun]).toEqual(['committing', 'undone']);
});
