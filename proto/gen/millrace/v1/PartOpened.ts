// Original file: proto/worker.proto

import type { AttemptId as _millrace_v1_AttemptId, AttemptId__Output as _millrace_v1_AttemptId__Output } from '../../millrace/v1/AttemptId.ts';

export interface PartOpened {
  'attempt'?: (_millrace_v1_AttemptId | null);
  'uri'?: (string);
  'token'?: (string);
}

export interface PartOpened__Output {
  'attempt': (_millrace_v1_AttemptId__Output | null);
  'uri': (string);
  'token': (string);
}
