// Original file: proto/worker.proto

import type { AttemptProgress as _millrace_v1_AttemptProgress, AttemptProgress__Output as _millrace_v1_AttemptProgress__Output } from '../../millrace/v1/AttemptProgress.ts';
import type { Long } from '@grpc/proto-loader';

export interface Heartbeat {
  'attempts'?: (_millrace_v1_AttemptProgress)[];
  'rssBytes'?: (number | string | Long);
  'cpuFraction'?: (number | string);
  'scratchBytes'?: (number | string | Long);
  'scratchBytesMax'?: (number | string | Long);
  'memoryBytesMax'?: (number | string | Long);
}

export interface Heartbeat__Output {
  'attempts': (_millrace_v1_AttemptProgress__Output)[];
  'rssBytes': (number);
  'cpuFraction': (number);
  'scratchBytes': (number);
  'scratchBytesMax': (number);
  'memoryBytesMax': (number);
}
