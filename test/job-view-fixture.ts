/** For tests of the renderers: a job view with what the test says and nothing else going on. */
import { toJobId } from '../lib/ids.ts';
import type { JobView, PhaseView } from '../lib/job-view.ts';

export function makePhase(fields: Partial<PhaseView> = {}): PhaseView {
  const none = {
    done: 0,
    running: 0,
    waiting: 0,
    failedAttempts: 0,
    backups: 0,
    reruns: 0,
    records: 0,
    bytes: 0,
  };
  return { total: 0, ...none, ...fields };
}

export function makeView(fields: Partial<JobView> = {}): JobView {
  return {
    jobId: toJobId('job-1'),
    name: 'word-count',
    state: 'MAPPING',
    priority: 0,
    submittedAtMs: 1_000_000,
    startedAtMs: 1_000_000,
    endedAtMs: null,
    input: ['file:///logs/*.gz'],
    outputUri: 'file:///out/',
    outputFormat: { kind: 'tsv', compression: 'none' },
    params: {},
    map: makePhase(),
    reduce: makePhase(),
    badRecords: 0,
    durability: 'local',
    mapsCopied: 0,
    nonDeterministic: [],
    counters: {},
    failedAttempts: [],
    damagedSegments: [],
    profile: null,
    cause: null,
    ...fields,
  };
}
