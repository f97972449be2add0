// Original file: proto/worker.proto

import type { AttemptId as _millrace_v1_AttemptId, AttemptId__Output as _millrace_v1_AttemptId__Output } from '../../millrace/v1/AttemptId.ts';
import type { Long } from '@grpc/proto-loader';

export interface AttemptProgress {
  'attempt'?: (_millrace_v1_AttemptId | null);
  'phase'?: (string);
  'recordsIn'?: (number | string | Long);
  'bytesIn'?: (number | string | Long);
  'recordsOut'?: (number | string | Long);
  'bytesOut'?: (number | string | Long);
}

export interface AttemptProgress__Output {
  'attempt': (_millrace_v1_AttemptId__Output | null);
  'phase': (string);
  'recordsIn': (number);
  'bytesIn': (number);
  'recordsOut': (number);
  'bytesOut': (number);
}
