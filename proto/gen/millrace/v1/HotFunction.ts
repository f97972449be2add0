// Original file: proto/worker.proto

import type { Long } from '@grpc/proto-loader';

export interface HotFunction {
  'name'?: (string);
  'file'?: (string);
  'line'?: (number);
  'micros'?: (number | string | Long);
}

export interface HotFunction__Output {
  'name': (string);
  'file': (string);
  'line': (number);
  'micros': (number);
}
