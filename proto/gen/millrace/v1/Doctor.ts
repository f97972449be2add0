// Original file: proto/doctor.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { DiagnoseReply as _millrace_v1_DiagnoseReply, DiagnoseReply__Output as _millrace_v1_DiagnoseReply__Output } from '../../millrace/v1/DiagnoseReply.ts';
import type { DiagnoseRequest as _millrace_v1_DiagnoseRequest, DiagnoseRequest__Output as _millrace_v1_DiagnoseRequest__Output } from '../../millrace/v1/DiagnoseRequest.ts';

export interface DoctorClient extends grpc.Client {
  Diagnose(argument: _millrace_v1_DiagnoseRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_millrace_v1_DiagnoseReply__Output>): grpc.ClientUnaryCall;
  Diagnose(argument: _millrace_v1_DiagnoseRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_millrace_v1_DiagnoseReply__Output>): grpc.ClientUnaryCall;
  Diagnose(argument: _millrace_v1_DiagnoseRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_millrace_v1_DiagnoseReply__Output>): grpc.ClientUnaryCall;
  Diagnose(argument: _millrace_v1_DiagnoseRequest, callback: grpc.requestCallback<_millrace_v1_DiagnoseReply__Output>): grpc.ClientUnaryCall;
  diagnose(argument: _millrace_v1_DiagnoseRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_millrace_v1_DiagnoseReply__Output>): grpc.ClientUnaryCall;
  diagnose(argument: _millrace_v1_DiagnoseRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_millrace_v1_DiagnoseReply__Output>): grpc.ClientUnaryCall;
  diagnose(argument: _millrace_v1_DiagnoseRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_millrace_v1_DiagnoseReply__Output>): grpc.ClientUnaryCall;
  diagnose(argument: _millrace_v1_DiagnoseRequest, callback: grpc.requestCallback<_millrace_v1_DiagnoseReply__Output>): grpc.ClientUnaryCall;
  
}

export interface DoctorHandlers extends grpc.UntypedServiceImplementation {
  Diagnose: grpc.handleUnaryCall<_millrace_v1_DiagnoseRequest__Output, _millrace_v1_DiagnoseReply>;
  
}

export interface DoctorDefinition extends grpc.ServiceDefinition {
  Diagnose: MethodDefinition<_millrace_v1_DiagnoseRequest, _millrace_v1_DiagnoseReply, _millrace_v1_DiagnoseRequest__Output, _millrace_v1_DiagnoseReply__Output>
}
