/** What a call to the coordinator failed with, as the one error class: the code comes in the trailers, not from the message. */
import { type ServiceError, status } from '@grpc/grpc-js';
import { isErrorCode, MillraceError } from '../lib/errors.ts';
import { codeTrailer } from '../lib/grpc-status.ts';

/** `address` is the coordinator's, for the message of one that cannot be reached. */
export function fromRpcError(thrown: unknown, address: string): MillraceError {
  if (!isServiceError(thrown)) return MillraceError.from(thrown);
  const sent = thrown.metadata?.get(codeTrailer)[0];
  const details = thrown.details || thrown.message;
  if (typeof sent === 'string' && isErrorCode(sent))
    return new MillraceError(sent, details, { cause: thrown });
  switch (thrown.code) {
    case status.UNAVAILABLE:
      return new MillraceError(
        'unavailable',
        `the coordinator at ${address} cannot be reached (${shorten(details)}); ${remedyOf(details)}`,
        { cause: thrown },
      );
    case status.DEADLINE_EXCEEDED:
      return new MillraceError(
        'timeout',
        `the coordinator at ${address} did not answer in time (${shorten(details)}); is --coordinator or MILLRACE_COORDINATOR right?`,
        { cause: thrown },
      );
    case status.CANCELLED:
      // Not by this side, which has reasons of its own then: a coordinator that ends, in order or deposed, cancels what is open.
      return endedMeanwhile(thrown, address, details);
    case status.UNIMPLEMENTED:
      return new MillraceError(
        'unavailable',
        `what listens at ${address} is not a Millrace coordinator of this version (${shorten(details)})`,
        { cause: thrown },
      );
    case status.RESOURCE_EXHAUSTED:
      return new MillraceError('limit-exceeded', details, { cause: thrown });
    default:
      if (brokenStream.test(details)) return endedMeanwhile(thrown, address, details);
      return new MillraceError('internal', `the coordinator at ${address} failed: ${details}`, {
        cause: thrown,
      });
  }
}

/** As grpc-js says it, as INTERNAL, of a stream that ended before any status came. */
const brokenStream = /^Received RST_STREAM with code \d/;

function endedMeanwhile(cause: ServiceError, address: string, details: string): MillraceError {
  const message = `the coordinator at ${address} ended while it was asked (${shorten(details)})`;
  return new MillraceError('unavailable', message, { cause });
}

/** Whether a coordinator said it, and not the transport. */
export function isSaid({ cause }: MillraceError): boolean {
  return isServiceError(cause) && (cause.metadata?.get(codeTrailer).length ?? 0) > 0;
}

/** Something answers there, but the two do not understand or trust each other. */
const tlsTrouble = /certificate|altnames|SSL routines|Failed to connect|ECONNRESET/;

function remedyOf(details: string): string {
  if (tlsTrouble.test(details)) {
    return (
      'something listens there: one that demands TLS wants --tls-ca, and --tls-cert with --tls-key of a client where it has a CA ' +
      '(MILLRACE_TLS_CA, _CERT, _KEY); one without TLS wants none of them'
    );
  }
  return (
    "start one with 'millrace coordinator' or 'millrace dev', " +
    'or give its address with --coordinator or MILLRACE_COORDINATOR'
  );
}

function isServiceError(thrown: unknown): thrown is ServiceError {
  return thrown instanceof Error && typeof (thrown as Partial<ServiceError>).code === 'number';
}

/** grpc-js adds what it tried, over several lines and with notes; the system's own words say enough. */
function shorten(details: string): string {
  return (details.split('\n')[0] ?? '')
    .replace(/^No connection established\. Last error: /, '')
    .replace(/^Error: /, '')
    .replace(/^[0-9A-F]+:error:[0-9A-F]+:SSL routines:\w*:([^:]+):.*$/, '$1')
    .replace(/\.? Resolution note:.*$/, '')
    .slice(0, 160);
}
