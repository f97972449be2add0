// Original file: proto/worker.proto

import type { HotFunction as _millrace_v1_HotFunction, HotFunction__Output as _millrace_v1_HotFunction__Output } from '../../millrace/v1/HotFunction.ts';
import type { Long } from '@grpc/proto-loader';

export interface Profile {
  'stageMicros'?: ({[key: string]: number | string | Long});
  'functions'?: (_millrace_v1_HotFunction)[];
}

export interface Profile__Output {
  'stageMicros': ({[key: string]: number});
  'functions': (_millrace_v1_HotFunction__Output)[];
}
