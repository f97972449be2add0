// Original file: proto/worker.proto


export interface JobInfo {
  'jobId'?: (string);
  'specJson'?: (string);
  'cutPoints'?: (Buffer | Uint8Array | string)[];
  'ticket'?: (string);
}

export interface JobInfo__Output {
  'jobId': (string);
  'specJson': (string);
  'cutPoints': (Buffer)[];
  'ticket': (string);
}
