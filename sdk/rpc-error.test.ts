import { Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { expect, it } from 'vitest';
import { fromRpcError } from './rpc-error.ts';

function serviceError(code: number, details: string, millraceCode?: string): ServiceError {
  const metadata = new Metadata();
  if (millraceCode !== undefined) metadata.set('millrace-code', millraceCode);
  return Object.assign(new Error(`${code} ${details}`), { code, details, metadata });
}

it('takes the code from the trailers and the message as it was', () => {
  const error = fromRpcError(
    serviceError(status.ALREADY_EXISTS, 'out/ is not empty', 'output-exists'),
    'h:1',
  );
  expect(error).toMatchObject({ code: 'output-exists', message: 'out/ is not empty', exitCode: 2 });
});

it('does not believe a code that is none', () => {
  expect(fromRpcError(serviceError(status.INTERNAL, 'x', 'nonsense'), 'h:1').code).toBe('internal');
});

it('says where nobody answers and how to change it', () => {
  const details =
    'No connection established. Last error: Error: connect ECONNREFUSED 127.0.0.1:9. Resolution note: ';
  const error = fromRpcError(serviceError(status.UNAVAILABLE, details), '127.0.0.1:9');
  expect(error).toMatchObject({ code: 'unavailable', exitCode: 3 });
  expect(error.message).toContain(
    'the coordinator at 127.0.0.1:9 cannot be reached (connect ECONNREFUSED 127.0.0.1:9);',
  );
  expect(error.message).toMatch(/--coordinator or MILLRACE_COORDINATOR$/);
});

it.each([
  ['self-signed certificate in certificate chain', 'self-signed certificate in certificate chain'],
  [
    '40CD:error:0A00045C:SSL routines:ssl3_read_bytes:tlsv13 alert certificate required:../deps/x.c:918:SSL alert',
    'tlsv13 alert certificate required',
  ],
  ['40CD:error:0A00010B:SSL routines:tls_x:wrong version number:../deps/x.c:77:', 'wrong version number'],
  ['Failed to connect (2026-11-21T07:34:41.104Z)', 'Failed to connect (2026-11-21T07:34:41.104Z)'],
])('says which settings a coordinator wants that was reached but not understood: %s', (cause, shown) => {
  const details = `No connection established. Last error: ${cause}. Resolution note: `;
  const { code, message } = fromRpcError(serviceError(status.UNAVAILABLE, details), 'h:1');
  expect(code).toBe('unavailable');
  expect(message).toContain(`cannot be reached (${shown}); something listens there`);
  expect(message).toMatch(/--tls-ca, and --tls-cert with --tls-key/);
});

it.each([
  [status.DEADLINE_EXCEEDED, 'timeout'],
  [status.CANCELLED, 'unavailable'],
  [status.UNIMPLEMENTED, 'unavailable'],
  [status.RESOURCE_EXHAUSTED, 'limit-exceeded'],
  [status.UNKNOWN, 'internal'],
])('status %i without a code of ours is %s', (code, expected) => {
  expect(fromRpcError(serviceError(code, 'x'), 'h:1').code).toBe(expected);
});

it('takes a stream that ended without any status for a coordinator that ended: another one is asked', () => {
  const details = 'Received RST_STREAM with code 0 (Call ended without gRPC status)';
  expect(fromRpcError(serviceError(status.INTERNAL, details), 'h:1')).toMatchObject({
    code: 'unavailable',
    message: `the coordinator at h:1 ended while it was asked (${details})`,
  });
});

it('lets an error that is none of gRPC keep its meaning', () => {
  expect(fromRpcError(Object.assign(new Error('full'), { code: 'ENOSPC' }), 'h:1').code).toBe('no-space');
});
