// Original file: proto/worker.proto


export interface SampleDone {
  'keys'?: (Buffer | Uint8Array | string)[];
}

export interface SampleDone__Output {
  'keys': (Buffer)[];
}
