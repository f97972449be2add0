// Original file: proto/worker.proto

import type { Long } from '@grpc/proto-loader';

export interface Welcome {
  'heartbeatIntervalMs'?: (number);
  'epoch'?: (number);
  'ticketKey'?: (Buffer | Uint8Array | string);
  'ticketClockMs'?: (number | string | Long);
}

export interface Welcome__Output {
  'heartbeatIntervalMs': (number);
  'epoch': (number);
  'ticketKey': (Buffer);
  'ticketClockMs': (number);
}
