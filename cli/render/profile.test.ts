import { expect, test } from 'vitest';
import { noMicros } from '../../lib/profile.ts';
import { makePhase } from '../../test/job-view-fixture.ts';
import { renderProfile } from './profile.ts';

const map = makePhase({ bytes: 20e6 });

test('stages with their share and speed, what was waited, and the hottest functions', () => {
  const micros = { ...noMicros(), 'user-map': 3e6, sort: 1e6, idle: 500_000 };
  const functions = [
    { name: 'tokenize', file: 'src/job.ts', line: 12, micros: 2e6 },
    { name: '', file: '', line: 0, micros: 500_000 },
  ];
  expect(renderProfile({ profile: { micros, functions }, map })).toEqual([
    'STAGE     TIME   SHARE   INPUT MB/S PER CORE',
    'user-map  3.00s  75.0%   6.7',
    'sort      1.00s  25.0%   20',
    'all       4.00s  100.0%  5.0',
    '(tasks waited 0.50s for input, output or each other)',
    'hottest  50.0%  tokenize (src/job.ts:12)',
    '         12.5%  (anonymous)',
  ]);
});

test('nothing for a job without a profile, and a word for one that was too short', () => {
  expect(renderProfile({ profile: null, map })).toEqual([]);
  expect(renderProfile({ profile: { micros: noMicros(), functions: [] }, map })).toEqual([
    '  profile  too short to be sampled',
  ]);
});
