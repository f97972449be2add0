/** MillraceErrors on the wire: the gRPC status of the code, and the code itself in the trailers. */
import { Metadata, type ServiceError } from '@grpc/grpc-js';
import { errorCodes, MillraceError } from '../../lib/errors.ts';

export const codeTrailer = 'millrace-code';

export function toServiceError(thrown: unknown): ServiceError {
  const error = MillraceError.from(thrown);
  const metadata = new Metadata();
  metadata.set(codeTrailer, error.code);
  const code = errorCodes[error.code].grpcStatus;
  return Object.assign(new Error(error.message), { code, details: error.message, metadata });
}
