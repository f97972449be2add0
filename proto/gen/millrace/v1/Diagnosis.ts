// Original file: proto/worker.proto

import type { Finding as _millrace_v1_Finding, Finding__Output as _millrace_v1_Finding__Output } from '../../millrace/v1/Finding.ts';
import type { Long } from '@grpc/proto-loader';

export interface Diagnosis {
  'id'?: (string);
  'clockMs'?: (number | string | Long);
  'softwareVersion'?: (string);
  'nodeVersion'?: (string);
  'findings'?: (_millrace_v1_Finding)[];
}

export interface Diagnosis__Output {
  'id': (string);
  'clockMs': (number);
  'softwareVersion': (string);
  'nodeVersion': (string);
  'findings': (_millrace_v1_Finding__Output)[];
}
