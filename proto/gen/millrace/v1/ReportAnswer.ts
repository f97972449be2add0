// Original file: proto/worker.proto

import type { AttemptId as _millrace_v1_AttemptId, AttemptId__Output as _millrace_v1_AttemptId__Output } from '../../millrace/v1/AttemptId.ts';

export interface ReportAnswer {
  'attempt'?: (_millrace_v1_AttemptId | null);
  'accepted'?: (boolean);
}

export interface ReportAnswer__Output {
  'attempt': (_millrace_v1_AttemptId__Output | null);
  'accepted': (boolean);
}
