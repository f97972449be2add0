// Original file: proto/operator.proto


export interface ClusterReply {
  'viewJson'?: (string);
}

export interface ClusterReply__Output {
  'viewJson': (string);
}
