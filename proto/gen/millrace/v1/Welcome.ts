// Original file: proto/worker.proto


export interface Welcome {
  'heartbeatIntervalMs'?: (number);
  'epoch'?: (number);
}

export interface Welcome__Output {
  'heartbeatIntervalMs': (number);
  'epoch': (number);
}
