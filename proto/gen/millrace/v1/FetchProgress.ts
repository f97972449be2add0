// Original file: proto/worker.proto

import type { AttemptId as _millrace_v1_AttemptId, AttemptId__Output as _millrace_v1_AttemptId__Output } from '../../millrace/v1/AttemptId.ts';

export interface FetchProgress {
  'attempt'?: (_millrace_v1_AttemptId | null);
  'maps'?: (number)[];
  'complete'?: (boolean);
  'digests'?: (number)[];
}

export interface FetchProgress__Output {
  'attempt': (_millrace_v1_AttemptId__Output | null);
  'maps': (number)[];
  'complete': (boolean);
  'digests': (number)[];
}
