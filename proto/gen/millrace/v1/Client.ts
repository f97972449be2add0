// Original file: proto/client.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { JobReply as _millrace_v1_JobReply, JobReply__Output as _millrace_v1_JobReply__Output } from '../../millrace/v1/JobReply.ts';
import type { JobRequest as _millrace_v1_JobRequest, JobRequest__Output as _millrace_v1_JobRequest__Output } from '../../millrace/v1/JobRequest.ts';
import type { ListReply as _millrace_v1_ListReply, ListReply__Output as _millrace_v1_ListReply__Output } from '../../millrace/v1/ListReply.ts';
import type { ListRequest as _millrace_v1_ListRequest, ListRequest__Output as _millrace_v1_ListRequest__Output } from '../../millrace/v1/ListRequest.ts';
import type { LogChunk as _millrace_v1_LogChunk, LogChunk__Output as _millrace_v1_LogChunk__Output } from '../../millrace/v1/LogChunk.ts';
import type { LogsRequest as _millrace_v1_LogsRequest, LogsRequest__Output as _millrace_v1_LogsRequest__Output } from '../../millrace/v1/LogsRequest.ts';
import type { SubmitChunk as _millrace_v1_SubmitChunk, SubmitChunk__Output as _millrace_v1_SubmitChunk__Output } from '../../millrace/v1/SubmitChunk.ts';
import type { SubmitReply as _millrace_v1_SubmitReply, SubmitReply__Output as _millrace_v1_SubmitReply__Output } from '../../millrace/v1/SubmitReply.ts';

export interface ClientClient extends grpc.Client {
  Cancel(argument: _millrace_v1_JobRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_millrace_v1_JobReply__Output>): grpc.ClientUnaryCall;
  Cancel(argument: _millrace_v1_JobRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_millrace_v1_JobReply__Output>): grpc.ClientUnaryCall;
  Cancel(argument: _millrace_v1_JobRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_millrace_v1_JobReply__Output>): grpc.ClientUnaryCall;
  Cancel(argument: _millrace_v1_JobRequest, callback: grpc.requestCallback<_millrace_v1_JobReply__Output>): grpc.ClientUnaryCall;
  cancel(argument: _millrace_v1_JobRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_millrace_v1_JobReply__Output>): grpc.ClientUnaryCall;
  cancel(argument: _millrace_v1_JobRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_millrace_v1_JobReply__Output>): grpc.ClientUnaryCall;
  cancel(argument: _millrace_v1_JobRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_millrace_v1_JobReply__Output>): grpc.ClientUnaryCall;
  cancel(argument: _millrace_v1_JobRequest, callback: grpc.requestCallback<_millrace_v1_JobReply__Output>): grpc.ClientUnaryCall;
  
  Get(argument: _millrace_v1_JobRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_millrace_v1_JobReply__Output>): grpc.ClientUnaryCall;
  Get(argument: _millrace_v1_JobRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_millrace_v1_JobReply__Output>): grpc.ClientUnaryCall;
  Get(argument: _millrace_v1_JobRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_millrace_v1_JobReply__Output>): grpc.ClientUnaryCall;
  Get(argument: _millrace_v1_JobRequest, callback: grpc.requestCallback<_millrace_v1_JobReply__Output>): grpc.ClientUnaryCall;
  get(argument: _millrace_v1_JobRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_millrace_v1_JobReply__Output>): grpc.ClientUnaryCall;
  get(argument: _millrace_v1_JobRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_millrace_v1_JobReply__Output>): grpc.ClientUnaryCall;
  get(argument: _millrace_v1_JobRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_millrace_v1_JobReply__Output>): grpc.ClientUnaryCall;
  get(argument: _millrace_v1_JobRequest, callback: grpc.requestCallback<_millrace_v1_JobReply__Output>): grpc.ClientUnaryCall;
  
  List(argument: _millrace_v1_ListRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_millrace_v1_ListReply__Output>): grpc.ClientUnaryCall;
  List(argument: _millrace_v1_ListRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_millrace_v1_ListReply__Output>): grpc.ClientUnaryCall;
  List(argument: _millrace_v1_ListRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_millrace_v1_ListReply__Output>): grpc.ClientUnaryCall;
  List(argument: _millrace_v1_ListRequest, callback: grpc.requestCallback<_millrace_v1_ListReply__Output>): grpc.ClientUnaryCall;
  list(argument: _millrace_v1_ListRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_millrace_v1_ListReply__Output>): grpc.ClientUnaryCall;
  list(argument: _millrace_v1_ListRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_millrace_v1_ListReply__Output>): grpc.ClientUnaryCall;
  list(argument: _millrace_v1_ListRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_millrace_v1_ListReply__Output>): grpc.ClientUnaryCall;
  list(argument: _millrace_v1_ListRequest, callback: grpc.requestCallback<_millrace_v1_ListReply__Output>): grpc.ClientUnaryCall;
  
  Logs(argument: _millrace_v1_LogsRequest, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_millrace_v1_LogChunk__Output>;
  Logs(argument: _millrace_v1_LogsRequest, options?: grpc.CallOptions): grpc.ClientReadableStream<_millrace_v1_LogChunk__Output>;
  logs(argument: _millrace_v1_LogsRequest, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_millrace_v1_LogChunk__Output>;
  logs(argument: _millrace_v1_LogsRequest, options?: grpc.CallOptions): grpc.ClientReadableStream<_millrace_v1_LogChunk__Output>;
  
  Submit(metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_millrace_v1_SubmitReply__Output>): grpc.ClientWritableStream<_millrace_v1_SubmitChunk>;
  Submit(metadata: grpc.Metadata, callback: grpc.requestCallback<_millrace_v1_SubmitReply__Output>): grpc.ClientWritableStream<_millrace_v1_SubmitChunk>;
  Submit(options: grpc.CallOptions, callback: grpc.requestCallback<_millrace_v1_SubmitReply__Output>): grpc.ClientWritableStream<_millrace_v1_SubmitChunk>;
  Submit(callback: grpc.requestCallback<_millrace_v1_SubmitReply__Output>): grpc.ClientWritableStream<_millrace_v1_SubmitChunk>;
  submit(metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_millrace_v1_SubmitReply__Output>): grpc.ClientWritableStream<_millrace_v1_SubmitChunk>;
  submit(metadata: grpc.Metadata, callback: grpc.requestCallback<_millrace_v1_SubmitReply__Output>): grpc.ClientWritableStream<_millrace_v1_SubmitChunk>;
  submit(options: grpc.CallOptions, callback: grpc.requestCallback<_millrace_v1_SubmitReply__Output>): grpc.ClientWritableStream<_millrace_v1_SubmitChunk>;
  submit(callback: grpc.requestCallback<_millrace_v1_SubmitReply__Output>): grpc.ClientWritableStream<_millrace_v1_SubmitChunk>;
  
  Watch(argument: _millrace_v1_JobRequest, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_millrace_v1_JobReply__Output>;
  Watch(argument: _millrace_v1_JobRequest, options?: grpc.CallOptions): grpc.ClientReadableStream<_millrace_v1_JobReply__Output>;
  watch(argument: _millrace_v1_JobRequest, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_millrace_v1_JobReply__Output>;
  watch(argument: _millrace_v1_JobRequest, options?: grpc.CallOptions): grpc.ClientReadableStream<_millrace_v1_JobReply__Output>;
  
}

export interface ClientHandlers extends grpc.UntypedServiceImplementation {
  Cancel: grpc.handleUnaryCall<_millrace_v1_JobRequest__Output, _millrace_v1_JobReply>;
  
  Get: grpc.handleUnaryCall<_millrace_v1_JobRequest__Output, _millrace_v1_JobReply>;
  
  List: grpc.handleUnaryCall<_millrace_v1_ListRequest__Output, _millrace_v1_ListReply>;
  
  Logs: grpc.handleServerStreamingCall<_millrace_v1_LogsRequest__Output, _millrace_v1_LogChunk>;
  
  Submit: grpc.handleClientStreamingCall<_millrace_v1_SubmitChunk__Output, _millrace_v1_SubmitReply>;
  
  Watch: grpc.handleServerStreamingCall<_millrace_v1_JobRequest__Output, _millrace_v1_JobReply>;
  
}

export interface ClientDefinition extends grpc.ServiceDefinition {
  Cancel: MethodDefinition<_millrace_v1_JobRequest, _millrace_v1_JobReply, _millrace_v1_JobRequest__Output, _millrace_v1_JobReply__Output>
  Get: MethodDefinition<_millrace_v1_JobRequest, _millrace_v1_JobReply, _millrace_v1_JobRequest__Output, _millrace_v1_JobReply__Output>
  List: MethodDefinition<_millrace_v1_ListRequest, _millrace_v1_ListReply, _millrace_v1_ListRequest__Output, _millrace_v1_ListReply__Output>
  Logs: MethodDefinition<_millrace_v1_LogsRequest, _millrace_v1_LogChunk, _millrace_v1_LogsRequest__Output, _millrace_v1_LogChunk__Output>
  Submit: MethodDefinition<_millrace_v1_SubmitChunk, _millrace_v1_SubmitReply, _millrace_v1_SubmitChunk__Output, _millrace_v1_SubmitReply__Output>
  Watch: MethodDefinition<_millrace_v1_JobRequest, _millrace_v1_JobReply, _millrace_v1_JobRequest__Output, _millrace_v1_JobReply__Output>
}
