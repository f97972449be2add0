// Original file: proto/client.proto


export interface JobRequest {
  'jobId'?: (string);
}

export interface JobRequest__Output {
  'jobId': (string);
}
