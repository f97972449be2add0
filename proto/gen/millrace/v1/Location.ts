// Original file: proto/worker.proto


export interface Location {
  'map'?: (number);
  'attempt'?: (number);
  'epoch'?: (number);
  'worker'?: (string);
  'digests'?: (number)[];
}

export interface Location__Output {
  'map': (number);
  'attempt': (number);
  'epoch': (number);
  'worker': (string);
  'digests': (number)[];
}
