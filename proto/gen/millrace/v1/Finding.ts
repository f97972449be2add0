// Original file: proto/worker.proto


export interface Finding {
  'check'?: (string);
  'ok'?: (boolean);
  'detail'?: (string);
  'ms'?: (number | string);
}

export interface Finding__Output {
  'check': (string);
  'ok': (boolean);
  'detail': (string);
  'ms': (number);
}
