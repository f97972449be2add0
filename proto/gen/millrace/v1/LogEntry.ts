// Original file: proto/client.proto

import type { Long } from '@grpc/proto-loader';

export interface LogEntry {
  'task'?: (string);
  'attempt'?: (number);
  'atMs'?: (number | string | Long);
  'text'?: (string);
}

export interface LogEntry__Output {
  'task': (string);
  'attempt': (number);
  'atMs': (number);
  'text': (string);
}
