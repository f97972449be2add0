// Original file: proto/worker.proto

import type { AttemptId as _millrace_v1_AttemptId, AttemptId__Output as _millrace_v1_AttemptId__Output } from '../../millrace/v1/AttemptId.ts';
import type { Split as _millrace_v1_Split, Split__Output as _millrace_v1_Split__Output } from '../../millrace/v1/Split.ts';

export interface Assignment {
  'attempt'?: (_millrace_v1_AttemptId | null);
  'split'?: (_millrace_v1_Split | null);
  'sampleKeysMax'?: (number);
  'maps'?: (number);
}

export interface Assignment__Output {
  'attempt': (_millrace_v1_AttemptId__Output | null);
  'split': (_millrace_v1_Split__Output | null);
  'sampleKeysMax': (number);
  'maps': (number);
}
