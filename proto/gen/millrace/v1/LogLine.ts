// Original file: proto/worker.proto

import type { AttemptId as _millrace_v1_AttemptId, AttemptId__Output as _millrace_v1_AttemptId__Output } from '../../millrace/v1/AttemptId.ts';
import type { Long } from '@grpc/proto-loader';

export interface LogLine {
  'attempt'?: (_millrace_v1_AttemptId | null);
  'atMs'?: (number | string | Long);
  'text'?: (string);
}

export interface LogLine__Output {
  'attempt': (_millrace_v1_AttemptId__Output | null);
  'atMs': (number);
  'text': (string);
}
