// Original file: proto/client.proto


export interface JobReply {
  'viewJson'?: (string);
}

export interface JobReply__Output {
  'viewJson': (string);
}
