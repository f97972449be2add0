// Original file: proto/shuffle.proto


export interface PingReply {
  'worker'?: (string);
}

export interface PingReply__Output {
  'worker': (string);
}
