import type * as grpc from '@grpc/grpc-js';
import type { MessageTypeDefinition } from '@grpc/proto-loader';

import type { DiagnoseReply as _millrace_v1_DiagnoseReply, DiagnoseReply__Output as _millrace_v1_DiagnoseReply__Output } from './millrace/v1/DiagnoseReply.ts';
import type { DiagnoseRequest as _millrace_v1_DiagnoseRequest, DiagnoseRequest__Output as _millrace_v1_DiagnoseRequest__Output } from './millrace/v1/DiagnoseRequest.ts';
import type { DoctorClient as _millrace_v1_DoctorClient, DoctorDefinition as _millrace_v1_DoctorDefinition } from './millrace/v1/Doctor.ts';

type SubtypeConstructor<Constructor extends new (...args: any) => any, Subtype> = {
  new(...args: ConstructorParameters<Constructor>): Subtype;
};

export interface ProtoGrpcType {
  millrace: {
    v1: {
      DiagnoseReply: MessageTypeDefinition<_millrace_v1_DiagnoseReply, _millrace_v1_DiagnoseReply__Output>
      DiagnoseRequest: MessageTypeDefinition<_millrace_v1_DiagnoseRequest, _millrace_v1_DiagnoseRequest__Output>
      Doctor: SubtypeConstructor<typeof grpc.Client, _millrace_v1_DoctorClient> & { service: _millrace_v1_DoctorDefinition }
    }
  }
}

