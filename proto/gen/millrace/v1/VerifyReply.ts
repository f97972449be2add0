// Original file: proto/shuffle.proto

import type { Long } from '@grpc/proto-loader';

export interface VerifyReply {
  'found'?: (boolean);
  'unreadable'?: (string);
  'records'?: (number | string | Long);
  'bytes'?: (number | string | Long);
  'indexCrc32'?: (number);
  'diskCrc32'?: (number);
}

export interface VerifyReply__Output {
  'found': (boolean);
  'unreadable': (string);
  'records': (number);
  'bytes': (number);
  'indexCrc32': (number);
  'diskCrc32': (number);
}
