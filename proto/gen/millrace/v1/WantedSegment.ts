// Original file: proto/shuffle.proto


export interface WantedSegment {
  'map'?: (number);
  'attempt'?: (number);
  'epoch'?: (number);
}

export interface WantedSegment__Output {
  'map': (number);
  'attempt': (number);
  'epoch': (number);
}
