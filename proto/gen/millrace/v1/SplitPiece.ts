// Original file: proto/types.proto

import type { Long } from '@grpc/proto-loader';

export interface SplitPiece {
  'uri'?: (string);
  'start'?: (number | string | Long);
  'end'?: (number | string | Long);
  'objectBytes'?: (number | string | Long);
  'etag'?: (string);
}

export interface SplitPiece__Output {
  'uri': (string);
  'start': (number);
  'end': (number);
  'objectBytes': (number);
  'etag': (string);
}
