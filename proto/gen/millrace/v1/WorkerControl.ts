// Original file: proto/worker.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { CoordinatorMessage as _millrace_v1_CoordinatorMessage, CoordinatorMessage__Output as _millrace_v1_CoordinatorMessage__Output } from '../../millrace/v1/CoordinatorMessage.ts';
import type { WorkerMessage as _millrace_v1_WorkerMessage, WorkerMessage__Output as _millrace_v1_WorkerMessage__Output } from '../../millrace/v1/WorkerMessage.ts';

export interface WorkerControlClient extends grpc.Client {
  Session(metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientDuplexStream<_millrace_v1_WorkerMessage, _millrace_v1_CoordinatorMessage__Output>;
  Session(options?: grpc.CallOptions): grpc.ClientDuplexStream<_millrace_v1_WorkerMessage, _millrace_v1_CoordinatorMessage__Output>;
  session(metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientDuplexStream<_millrace_v1_WorkerMessage, _millrace_v1_CoordinatorMessage__Output>;
  session(options?: grpc.CallOptions): grpc.ClientDuplexStream<_millrace_v1_WorkerMessage, _millrace_v1_CoordinatorMessage__Output>;
  
}

export interface WorkerControlHandlers extends grpc.UntypedServiceImplementation {
  Session: grpc.handleBidiStreamingCall<_millrace_v1_WorkerMessage__Output, _millrace_v1_CoordinatorMessage>;
  
}

export interface WorkerControlDefinition extends grpc.ServiceDefinition {
  Session: MethodDefinition<_millrace_v1_WorkerMessage, _millrace_v1_CoordinatorMessage, _millrace_v1_WorkerMessage__Output, _millrace_v1_CoordinatorMessage__Output>
}
