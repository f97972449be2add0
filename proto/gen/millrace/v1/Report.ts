// Original file: proto/worker.proto

import type { AttemptId as _millrace_v1_AttemptId, AttemptId__Output as _millrace_v1_AttemptId__Output } from '../../millrace/v1/AttemptId.ts';
import type { SampleDone as _millrace_v1_SampleDone, SampleDone__Output as _millrace_v1_SampleDone__Output } from '../../millrace/v1/SampleDone.ts';
import type { MapDone as _millrace_v1_MapDone, MapDone__Output as _millrace_v1_MapDone__Output } from '../../millrace/v1/MapDone.ts';
import type { ReduceDone as _millrace_v1_ReduceDone, ReduceDone__Output as _millrace_v1_ReduceDone__Output } from '../../millrace/v1/ReduceDone.ts';
import type { AttemptFailure as _millrace_v1_AttemptFailure, AttemptFailure__Output as _millrace_v1_AttemptFailure__Output } from '../../millrace/v1/AttemptFailure.ts';
import type { Profile as _millrace_v1_Profile, Profile__Output as _millrace_v1_Profile__Output } from '../../millrace/v1/Profile.ts';

export interface Report {
  'attempt'?: (_millrace_v1_AttemptId | null);
  'sampleDone'?: (_millrace_v1_SampleDone | null);
  'mapDone'?: (_millrace_v1_MapDone | null);
  'reduceDone'?: (_millrace_v1_ReduceDone | null);
  'failed'?: (_millrace_v1_AttemptFailure | null);
  'counters'?: ({[key: string]: number | string});
  'again'?: (boolean);
  'profile'?: (_millrace_v1_Profile | null);
  'outcome'?: "sampleDone"|"mapDone"|"reduceDone"|"failed";
}

export interface Report__Output {
  'attempt': (_millrace_v1_AttemptId__Output | null);
  'sampleDone'?: (_millrace_v1_SampleDone__Output | null);
  'mapDone'?: (_millrace_v1_MapDone__Output | null);
  'reduceDone'?: (_millrace_v1_ReduceDone__Output | null);
  'failed'?: (_millrace_v1_AttemptFailure__Output | null);
  'counters': ({[key: string]: number});
  'again': (boolean);
  'profile': (_millrace_v1_Profile__Output | null);
  'outcome'?: "sampleDone"|"mapDone"|"reduceDone"|"failed";
}
