// Original file: proto/worker.proto

import type { StagedPart as _millrace_v1_StagedPart, StagedPart__Output as _millrace_v1_StagedPart__Output } from '../../millrace/v1/StagedPart.ts';

export interface BadRecords {
  'part'?: (_millrace_v1_StagedPart | null);
  'examples'?: (string)[];
}

export interface BadRecords__Output {
  'part': (_millrace_v1_StagedPart__Output | null);
  'examples': (string)[];
}
