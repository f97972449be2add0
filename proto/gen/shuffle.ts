import type * as grpc from '@grpc/grpc-js';
import type { MessageTypeDefinition } from '@grpc/proto-loader';

import type { FetchRequest as _millrace_v1_FetchRequest, FetchRequest__Output as _millrace_v1_FetchRequest__Output } from './millrace/v1/FetchRequest.ts';
import type { PingReply as _millrace_v1_PingReply, PingReply__Output as _millrace_v1_PingReply__Output } from './millrace/v1/PingReply.ts';
import type { PingRequest as _millrace_v1_PingRequest, PingRequest__Output as _millrace_v1_PingRequest__Output } from './millrace/v1/PingRequest.ts';
import type { RawFrame as _millrace_v1_RawFrame, RawFrame__Output as _millrace_v1_RawFrame__Output } from './millrace/v1/RawFrame.ts';
import type { ShuffleClient as _millrace_v1_ShuffleClient, ShuffleDefinition as _millrace_v1_ShuffleDefinition } from './millrace/v1/Shuffle.ts';
import type { VerifyReply as _millrace_v1_VerifyReply, VerifyReply__Output as _millrace_v1_VerifyReply__Output } from './millrace/v1/VerifyReply.ts';
import type { VerifyRequest as _millrace_v1_VerifyRequest, VerifyRequest__Output as _millrace_v1_VerifyRequest__Output } from './millrace/v1/VerifyRequest.ts';
import type { WantedSegment as _millrace_v1_WantedSegment, WantedSegment__Output as _millrace_v1_WantedSegment__Output } from './millrace/v1/WantedSegment.ts';

type SubtypeConstructor<Constructor extends new (...args: any) => any, Subtype> = {
  new(...args: ConstructorParameters<Constructor>): Subtype;
};

export interface ProtoGrpcType {
  millrace: {
    v1: {
      FetchRequest: MessageTypeDefinition<_millrace_v1_FetchRequest, _millrace_v1_FetchRequest__Output>
      PingReply: MessageTypeDefinition<_millrace_v1_PingReply, _millrace_v1_PingReply__Output>
      PingRequest: MessageTypeDefinition<_millrace_v1_PingRequest, _millrace_v1_PingRequest__Output>
      RawFrame: MessageTypeDefinition<_millrace_v1_RawFrame, _millrace_v1_RawFrame__Output>
      Shuffle: SubtypeConstructor<typeof grpc.Client, _millrace_v1_ShuffleClient> & { service: _millrace_v1_ShuffleDefinition }
      VerifyReply: MessageTypeDefinition<_millrace_v1_VerifyReply, _millrace_v1_VerifyReply__Output>
      VerifyRequest: MessageTypeDefinition<_millrace_v1_VerifyRequest, _millrace_v1_VerifyRequest__Output>
      WantedSegment: MessageTypeDefinition<_millrace_v1_WantedSegment, _millrace_v1_WantedSegment__Output>
    }
  }
}

