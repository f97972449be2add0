// Original file: proto/client.proto


export interface SubmitReply {
  'jobId'?: (string);
}

export interface SubmitReply__Output {
  'jobId': (string);
}
