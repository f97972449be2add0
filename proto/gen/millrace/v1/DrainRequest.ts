// Original file: proto/operator.proto


export interface DrainRequest {
  'worker'?: (string);
}

export interface DrainRequest__Output {
  'worker': (string);
}
