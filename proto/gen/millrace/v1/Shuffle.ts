// Original file: proto/shuffle.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { FetchRequest as _millrace_v1_FetchRequest, FetchRequest__Output as _millrace_v1_FetchRequest__Output } from '../../millrace/v1/FetchRequest.ts';
import type { PingReply as _millrace_v1_PingReply, PingReply__Output as _millrace_v1_PingReply__Output } from '../../millrace/v1/PingReply.ts';
import type { PingRequest as _millrace_v1_PingRequest, PingRequest__Output as _millrace_v1_PingRequest__Output } from '../../millrace/v1/PingRequest.ts';
import type { RawFrame as _millrace_v1_RawFrame, RawFrame__Output as _millrace_v1_RawFrame__Output } from '../../millrace/v1/RawFrame.ts';
import type { VerifyReply as _millrace_v1_VerifyReply, VerifyReply__Output as _millrace_v1_VerifyReply__Output } from '../../millrace/v1/VerifyReply.ts';
import type { VerifyRequest as _millrace_v1_VerifyRequest, VerifyRequest__Output as _millrace_v1_VerifyRequest__Output } from '../../millrace/v1/VerifyRequest.ts';

export interface ShuffleClient extends grpc.Client {
  Fetch(argument: _millrace_v1_FetchRequest, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_millrace_v1_RawFrame__Output>;
  Fetch(argument: _millrace_v1_FetchRequest, options?: grpc.CallOptions): grpc.ClientReadableStream<_millrace_v1_RawFrame__Output>;
  fetch(argument: _millrace_v1_FetchRequest, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_millrace_v1_RawFrame__Output>;
  fetch(argument: _millrace_v1_FetchRequest, options?: grpc.CallOptions): grpc.ClientReadableStream<_millrace_v1_RawFrame__Output>;
  
  Ping(argument: _millrace_v1_PingRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_millrace_v1_PingReply__Output>): grpc.ClientUnaryCall;
  Ping(argument: _millrace_v1_PingRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_millrace_v1_PingReply__Output>): grpc.ClientUnaryCall;
  Ping(argument: _millrace_v1_PingRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_millrace_v1_PingReply__Output>): grpc.ClientUnaryCall;
  Ping(argument: _millrace_v1_PingRequest, callback: grpc.requestCallback<_millrace_v1_PingReply__Output>): grpc.ClientUnaryCall;
  ping(argument: _millrace_v1_PingRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_millrace_v1_PingReply__Output>): grpc.ClientUnaryCall;
  ping(argument: _millrace_v1_PingRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_millrace_v1_PingReply__Output>): grpc.ClientUnaryCall;
  ping(argument: _millrace_v1_PingRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_millrace_v1_PingReply__Output>): grpc.ClientUnaryCall;
  ping(argument: _millrace_v1_PingRequest, callback: grpc.requestCallback<_millrace_v1_PingReply__Output>): grpc.ClientUnaryCall;
  
  Verify(argument: _millrace_v1_VerifyRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_millrace_v1_VerifyReply__Output>): grpc.ClientUnaryCall;
  Verify(argument: _millrace_v1_VerifyRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_millrace_v1_VerifyReply__Output>): grpc.ClientUnaryCall;
  Verify(argument: _millrace_v1_VerifyRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_millrace_v1_VerifyReply__Output>): grpc.ClientUnaryCall;
  Verify(argument: _millrace_v1_VerifyRequest, callback: grpc.requestCallback<_millrace_v1_VerifyReply__Output>): grpc.ClientUnaryCall;
  verify(argument: _millrace_v1_VerifyRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_millrace_v1_VerifyReply__Output>): grpc.ClientUnaryCall;
  verify(argument: _millrace_v1_VerifyRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_millrace_v1_VerifyReply__Output>): grpc.ClientUnaryCall;
  verify(argument: _millrace_v1_VerifyRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_millrace_v1_VerifyReply__Output>): grpc.ClientUnaryCall;
  verify(argument: _millrace_v1_VerifyRequest, callback: grpc.requestCallback<_millrace_v1_VerifyReply__Output>): grpc.ClientUnaryCall;
  
}

export interface ShuffleHandlers extends grpc.UntypedServiceImplementation {
  Fetch: grpc.handleServerStreamingCall<_millrace_v1_FetchRequest__Output, _millrace_v1_RawFrame>;
  
  Ping: grpc.handleUnaryCall<_millrace_v1_PingRequest__Output, _millrace_v1_PingReply>;
  
  Verify: grpc.handleUnaryCall<_millrace_v1_VerifyRequest__Output, _millrace_v1_VerifyReply>;
  
}

export interface ShuffleDefinition extends grpc.ServiceDefinition {
  Fetch: MethodDefinition<_millrace_v1_FetchRequest, _millrace_v1_RawFrame, _millrace_v1_FetchRequest__Output, _millrace_v1_RawFrame__Output>
  Ping: MethodDefinition<_millrace_v1_PingRequest, _millrace_v1_PingReply, _millrace_v1_PingRequest__Output, _millrace_v1_PingReply__Output>
  Verify: MethodDefinition<_millrace_v1_VerifyRequest, _millrace_v1_VerifyReply, _millrace_v1_VerifyRequest__Output, _millrace_v1_VerifyReply__Output>
}
