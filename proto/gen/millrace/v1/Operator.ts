// Original file: proto/operator.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { ClusterReply as _millrace_v1_ClusterReply, ClusterReply__Output as _millrace_v1_ClusterReply__Output } from '../../millrace/v1/ClusterReply.ts';
import type { ClusterRequest as _millrace_v1_ClusterRequest, ClusterRequest__Output as _millrace_v1_ClusterRequest__Output } from '../../millrace/v1/ClusterRequest.ts';
import type { DrainRequest as _millrace_v1_DrainRequest, DrainRequest__Output as _millrace_v1_DrainRequest__Output } from '../../millrace/v1/DrainRequest.ts';

export interface OperatorClient extends grpc.Client {
  Cluster(argument: _millrace_v1_ClusterRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_millrace_v1_ClusterReply__Output>): grpc.ClientUnaryCall;
  Cluster(argument: _millrace_v1_ClusterRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_millrace_v1_ClusterReply__Output>): grpc.ClientUnaryCall;
  Cluster(argument: _millrace_v1_ClusterRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_millrace_v1_ClusterReply__Output>): grpc.ClientUnaryCall;
  Cluster(argument: _millrace_v1_ClusterRequest, callback: grpc.requestCallback<_millrace_v1_ClusterReply__Output>): grpc.ClientUnaryCall;
  cluster(argument: _millrace_v1_ClusterRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_millrace_v1_ClusterReply__Output>): grpc.ClientUnaryCall;
  cluster(argument: _millrace_v1_ClusterRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_millrace_v1_ClusterReply__Output>): grpc.ClientUnaryCall;
  cluster(argument: _millrace_v1_ClusterRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_millrace_v1_ClusterReply__Output>): grpc.ClientUnaryCall;
  cluster(argument: _millrace_v1_ClusterRequest, callback: grpc.requestCallback<_millrace_v1_ClusterReply__Output>): grpc.ClientUnaryCall;
  
  Drain(argument: _millrace_v1_DrainRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_millrace_v1_ClusterReply__Output>): grpc.ClientUnaryCall;
  Drain(argument: _millrace_v1_DrainRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_millrace_v1_ClusterReply__Output>): grpc.ClientUnaryCall;
  Drain(argument: _millrace_v1_DrainRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_millrace_v1_ClusterReply__Output>): grpc.ClientUnaryCall;
  Drain(argument: _millrace_v1_DrainRequest, callback: grpc.requestCallback<_millrace_v1_ClusterReply__Output>): grpc.ClientUnaryCall;
  drain(argument: _millrace_v1_DrainRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_millrace_v1_ClusterReply__Output>): grpc.ClientUnaryCall;
  drain(argument: _millrace_v1_DrainRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_millrace_v1_ClusterReply__Output>): grpc.ClientUnaryCall;
  drain(argument: _millrace_v1_DrainRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_millrace_v1_ClusterReply__Output>): grpc.ClientUnaryCall;
  drain(argument: _millrace_v1_DrainRequest, callback: grpc.requestCallback<_millrace_v1_ClusterReply__Output>): grpc.ClientUnaryCall;
  
}

export interface OperatorHandlers extends grpc.UntypedServiceImplementation {
  Cluster: grpc.handleUnaryCall<_millrace_v1_ClusterRequest__Output, _millrace_v1_ClusterReply>;
  
  Drain: grpc.handleUnaryCall<_millrace_v1_DrainRequest__Output, _millrace_v1_ClusterReply>;
  
}

export interface OperatorDefinition extends grpc.ServiceDefinition {
  Cluster: MethodDefinition<_millrace_v1_ClusterRequest, _millrace_v1_ClusterReply, _millrace_v1_ClusterRequest__Output, _millrace_v1_ClusterReply__Output>
  Drain: MethodDefinition<_millrace_v1_DrainRequest, _millrace_v1_ClusterReply, _millrace_v1_DrainRequest__Output, _millrace_v1_ClusterReply__Output>
}
