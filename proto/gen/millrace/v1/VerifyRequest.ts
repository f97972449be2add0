// Original file: proto/shuffle.proto

import type { WantedSegment as _millrace_v1_WantedSegment, WantedSegment__Output as _millrace_v1_WantedSegment__Output } from '../../millrace/v1/WantedSegment.ts';

export interface VerifyRequest {
  'jobId'?: (string);
  'reduce'?: (number);
  'segment'?: (_millrace_v1_WantedSegment | null);
  'ticket'?: (string);
}

export interface VerifyRequest__Output {
  'jobId': (string);
  'reduce': (number);
  'segment': (_millrace_v1_WantedSegment__Output | null);
  'ticket': (string);
}
