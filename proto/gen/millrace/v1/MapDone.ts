// Original file: proto/worker.proto

import type { StagedPart as _millrace_v1_StagedPart, StagedPart__Output as _millrace_v1_StagedPart__Output } from '../../millrace/v1/StagedPart.ts';
import type { BadRecords as _millrace_v1_BadRecords, BadRecords__Output as _millrace_v1_BadRecords__Output } from '../../millrace/v1/BadRecords.ts';
import type { Long } from '@grpc/proto-loader';

export interface MapDone {
  'inputRecords'?: (number | string | Long);
  'inputBytes'?: (number | string | Long);
  'segmentRecords'?: (number | string | Long)[];
  'segmentBytes'?: (number | string | Long)[];
  'segmentCrc32'?: (number)[];
  'part'?: (_millrace_v1_StagedPart | null);
  'spills'?: (number);
  'spillBytes'?: (number | string | Long);
  'bad'?: (_millrace_v1_BadRecords | null);
  'copied'?: (boolean);
}

export interface MapDone__Output {
  'inputRecords': (number);
  'inputBytes': (number);
  'segmentRecords': (number)[];
  'segmentBytes': (number)[];
  'segmentCrc32': (number)[];
  'part': (_millrace_v1_StagedPart__Output | null);
  'spills': (number);
  'spillBytes': (number);
  'bad': (_millrace_v1_BadRecords__Output | null);
  'copied': (boolean);
}
