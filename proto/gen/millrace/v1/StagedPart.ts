// Original file: proto/types.proto

import type { Long } from '@grpc/proto-loader';

export interface StagedPart {
  'uri'?: (string);
  'token'?: (string);
  'bytes'?: (number | string | Long);
  'records'?: (number | string | Long);
  'crc32'?: (number);
  'columns'?: (string)[];
}

export interface StagedPart__Output {
  'uri': (string);
  'token': (string);
  'bytes': (number);
  'records': (number);
  'crc32': (number);
  'columns': (string)[];
}
