import type * as grpc from '@grpc/grpc-js';
import type { MessageTypeDefinition } from '@grpc/proto-loader';

import type { ClusterReply as _millrace_v1_ClusterReply, ClusterReply__Output as _millrace_v1_ClusterReply__Output } from './millrace/v1/ClusterReply.ts';
import type { ClusterRequest as _millrace_v1_ClusterRequest, ClusterRequest__Output as _millrace_v1_ClusterRequest__Output } from './millrace/v1/ClusterRequest.ts';
import type { DrainRequest as _millrace_v1_DrainRequest, DrainRequest__Output as _millrace_v1_DrainRequest__Output } from './millrace/v1/DrainRequest.ts';
import type { OperatorClient as _millrace_v1_OperatorClient, OperatorDefinition as _millrace_v1_OperatorDefinition } from './millrace/v1/Operator.ts';

type SubtypeConstructor<Constructor extends new (...args: any) => any, Subtype> = {
  new(...args: ConstructorParameters<Constructor>): Subtype;
};

export interface ProtoGrpcType {
  millrace: {
    v1: {
      ClusterReply: MessageTypeDefinition<_millrace_v1_ClusterReply, _millrace_v1_ClusterReply__Output>
      ClusterRequest: MessageTypeDefinition<_millrace_v1_ClusterRequest, _millrace_v1_ClusterRequest__Output>
      DrainRequest: MessageTypeDefinition<_millrace_v1_DrainRequest, _millrace_v1_DrainRequest__Output>
      Operator: SubtypeConstructor<typeof grpc.Client, _millrace_v1_OperatorClient> & { service: _millrace_v1_OperatorDefinition }
    }
  }
}

