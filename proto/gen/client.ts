import type * as grpc from '@grpc/grpc-js';
import type { MessageTypeDefinition } from '@grpc/proto-loader';

import type { ClientClient as _millrace_v1_ClientClient, ClientDefinition as _millrace_v1_ClientDefinition } from './millrace/v1/Client.ts';
import type { JobReply as _millrace_v1_JobReply, JobReply__Output as _millrace_v1_JobReply__Output } from './millrace/v1/JobReply.ts';
import type { JobRequest as _millrace_v1_JobRequest, JobRequest__Output as _millrace_v1_JobRequest__Output } from './millrace/v1/JobRequest.ts';
import type { ListReply as _millrace_v1_ListReply, ListReply__Output as _millrace_v1_ListReply__Output } from './millrace/v1/ListReply.ts';
import type { ListRequest as _millrace_v1_ListRequest, ListRequest__Output as _millrace_v1_ListRequest__Output } from './millrace/v1/ListRequest.ts';
import type { LogChunk as _millrace_v1_LogChunk, LogChunk__Output as _millrace_v1_LogChunk__Output } from './millrace/v1/LogChunk.ts';
import type { LogEntry as _millrace_v1_LogEntry, LogEntry__Output as _millrace_v1_LogEntry__Output } from './millrace/v1/LogEntry.ts';
import type { LogsRequest as _millrace_v1_LogsRequest, LogsRequest__Output as _millrace_v1_LogsRequest__Output } from './millrace/v1/LogsRequest.ts';
import type { SubmitChunk as _millrace_v1_SubmitChunk, SubmitChunk__Output as _millrace_v1_SubmitChunk__Output } from './millrace/v1/SubmitChunk.ts';
import type { SubmitReply as _millrace_v1_SubmitReply, SubmitReply__Output as _millrace_v1_SubmitReply__Output } from './millrace/v1/SubmitReply.ts';

type SubtypeConstructor<Constructor extends new (...args: any) => any, Subtype> = {
  new(...args: ConstructorParameters<Constructor>): Subtype;
};

export interface ProtoGrpcType {
  millrace: {
    v1: {
      Client: SubtypeConstructor<typeof grpc.Client, _millrace_v1_ClientClient> & { service: _millrace_v1_ClientDefinition }
      JobReply: MessageTypeDefinition<_millrace_v1_JobReply, _millrace_v1_JobReply__Output>
      JobRequest: MessageTypeDefinition<_millrace_v1_JobRequest, _millrace_v1_JobRequest__Output>
      ListReply: MessageTypeDefinition<_millrace_v1_ListReply, _millrace_v1_ListReply__Output>
      ListRequest: MessageTypeDefinition<_millrace_v1_ListRequest, _millrace_v1_ListRequest__Output>
      LogChunk: MessageTypeDefinition<_millrace_v1_LogChunk, _millrace_v1_LogChunk__Output>
      LogEntry: MessageTypeDefinition<_millrace_v1_LogEntry, _millrace_v1_LogEntry__Output>
      LogsRequest: MessageTypeDefinition<_millrace_v1_LogsRequest, _millrace_v1_LogsRequest__Output>
      SubmitChunk: MessageTypeDefinition<_millrace_v1_SubmitChunk, _millrace_v1_SubmitChunk__Output>
      SubmitReply: MessageTypeDefinition<_millrace_v1_SubmitReply, _millrace_v1_SubmitReply__Output>
    }
  }
}

