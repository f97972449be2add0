// Original file: proto/worker.proto


export interface Welcome {
  'heartbeatIntervalMs'?: (number);
  'epoch'?: (number);
  'ticketKey'?: (Buffer | Uint8Array | string);
}

export interface Welcome__Output {
  'heartbeatIntervalMs': (number);
  'epoch': (number);
  'ticketKey': (Buffer);
}
