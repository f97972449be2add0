// Original file: proto/worker.proto

import type { AttemptId as _millrace_v1_AttemptId, AttemptId__Output as _millrace_v1_AttemptId__Output } from '../../millrace/v1/AttemptId.ts';

export interface Cancel {
  'attempt'?: (_millrace_v1_AttemptId | null);
  'reason'?: (string);
}

export interface Cancel__Output {
  'attempt': (_millrace_v1_AttemptId__Output | null);
  'reason': (string);
}
