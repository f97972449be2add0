// Original file: proto/operator.proto


export interface ClusterRequest {
}

export interface ClusterRequest__Output {
}
