/** Whatever a handler threw, as gRPC wants it. */
import type { ServiceError } from '@grpc/grpc-js';
import { MillraceError } from '../../lib/errors.ts';
import { grpcStatus } from '../../lib/grpc-status.ts';

export function toServiceError(thrown: unknown): ServiceError {
  const error = MillraceError.from(thrown);
  return Object.assign(new Error(error.message), grpcStatus(error));
}
