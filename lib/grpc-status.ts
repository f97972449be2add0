/** A MillraceError on the wire: the gRPC status of its code, and the code itself in the trailers. */
import { Metadata } from '@grpc/grpc-js';
import { errorCodes, type MillraceError } from './errors.ts';

export const codeTrailer = 'millrace-code';

export function grpcStatus({ code, message }: MillraceError) {
  const metadata = new Metadata();
  metadata.set(codeTrailer, code);
  return { code: errorCodes[code].grpcStatus, details: message, metadata };
}
