// Original file: proto/types.proto

import type { SplitPiece as _millrace_v1_SplitPiece, SplitPiece__Output as _millrace_v1_SplitPiece__Output } from '../../millrace/v1/SplitPiece.ts';
import type { Long } from '@grpc/proto-loader';

export interface Split {
  'pieces'?: (_millrace_v1_SplitPiece)[];
  'bytes'?: (number | string | Long);
}

export interface Split__Output {
  'pieces': (_millrace_v1_SplitPiece__Output)[];
  'bytes': (number);
}
