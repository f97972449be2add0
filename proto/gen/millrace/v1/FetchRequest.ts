// Original file: proto/shuffle.proto

import type { WantedSegment as _millrace_v1_WantedSegment, WantedSegment__Output as _millrace_v1_WantedSegment__Output } from '../../millrace/v1/WantedSegment.ts';

export interface FetchRequest {
  'jobId'?: (string);
  'reduce'?: (number);
  'segments'?: (_millrace_v1_WantedSegment)[];
  'ticket'?: (string);
}

export interface FetchRequest__Output {
  'jobId': (string);
  'reduce': (number);
  'segments': (_millrace_v1_WantedSegment__Output)[];
  'ticket': (string);
}
