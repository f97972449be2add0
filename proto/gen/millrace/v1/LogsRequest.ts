// Original file: proto/client.proto


export interface LogsRequest {
  'jobId'?: (string);
  'task'?: (string);
  'follow'?: (boolean);
}

export interface LogsRequest__Output {
  'jobId': (string);
  'task': (string);
  'follow': (boolean);
}
