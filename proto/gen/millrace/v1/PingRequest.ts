// Original file: proto/shuffle.proto


export interface PingRequest {
  'ticket'?: (string);
}

export interface PingRequest__Output {
  'ticket': (string);
}
