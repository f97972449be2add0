// Original file: proto/worker.proto

import type { AttemptId as _millrace_v1_AttemptId, AttemptId__Output as _millrace_v1_AttemptId__Output } from '../../millrace/v1/AttemptId.ts';

export interface FetchTrouble {
  'attempt'?: (_millrace_v1_AttemptId | null);
  'map'?: (number);
  'mapAttempt'?: (number);
  'worker'?: (string);
  'cause'?: (string);
  'detail'?: (string);
}

export interface FetchTrouble__Output {
  'attempt': (_millrace_v1_AttemptId__Output | null);
  'map': (number);
  'mapAttempt': (number);
  'worker': (string);
  'cause': (string);
  'detail': (string);
}
