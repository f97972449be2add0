// Original file: proto/worker.proto

import type { StagedPart as _millrace_v1_StagedPart, StagedPart__Output as _millrace_v1_StagedPart__Output } from '../../millrace/v1/StagedPart.ts';
import type { Long } from '@grpc/proto-loader';

export interface ReduceDone {
  'consumedRecords'?: (number | string | Long);
  'consumedBytes'?: (number | string | Long);
  'consumedCrc32'?: (number);
  'part'?: (_millrace_v1_StagedPart | null);
  'fetchMs'?: (number | string | Long);
  'reducedRecords'?: (number | string | Long);
  'reducedBytes'?: (number | string | Long);
}

export interface ReduceDone__Output {
  'consumedRecords': (number);
  'consumedBytes': (number);
  'consumedCrc32': (number);
  'part': (_millrace_v1_StagedPart__Output | null);
  'fetchMs': (number);
  'reducedRecords': (number);
  'reducedBytes': (number);
}
