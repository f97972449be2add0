// Original file: proto/worker.proto


export interface Peer {
  'worker'?: (string);
  'host'?: (string);
  'fetchAddress'?: (string);
}

export interface Peer__Output {
  'worker': (string);
  'host': (string);
  'fetchAddress': (string);
}
