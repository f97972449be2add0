// Original file: proto/types.proto

import type { Long } from '@grpc/proto-loader';

export interface AttemptFailure {
  'kind'?: (string);
  'message'?: (string);
  'name'?: (string);
  'stack'?: (string);
  'where'?: (string);
  'record'?: (string);
  'uri'?: (string);
  'line'?: (number | string | Long);
  'offset'?: (number | string | Long);
  'map'?: (number);
  'mapAttempt'?: (number);
  'worker'?: (string);
  'path'?: (string);
  'heapBytesMax'?: (number | string | Long);
  'idleMs'?: (number | string | Long);
}

export interface AttemptFailure__Output {
  'kind': (string);
  'message': (string);
  'name': (string);
  'stack': (string);
  'where': (string);
  'record': (string);
  'uri': (string);
  'line': (number);
  'offset': (number);
  'map': (number);
  'mapAttempt': (number);
  'worker': (string);
  'path': (string);
  'heapBytesMax': (number);
  'idleMs': (number);
}
