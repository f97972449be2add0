// Original file: proto/types.proto

import type { TaskKind as _millrace_v1_TaskKind, TaskKind__Output as _millrace_v1_TaskKind__Output } from '../../millrace/v1/TaskKind.ts';

export interface AttemptId {
  'jobId'?: (string);
  'kind'?: (_millrace_v1_TaskKind);
  'index'?: (number);
  'attempt'?: (number);
  'epoch'?: (number);
}

export interface AttemptId__Output {
  'jobId': (string);
  'kind': (_millrace_v1_TaskKind__Output);
  'index': (number);
  'attempt': (number);
  'epoch': (number);
}
