/** The one door of every gRPC server: who may not pass is refused before a handler runs or a message is read. */
import { type Metadata, ServerInterceptingCall, type ServerInterceptor } from '@grpc/grpc-js';
import { MillraceError } from '../errors.ts';
import { grpcStatus } from '../grpc-status.ts';
import { limits } from '../limits.ts';
import type { Guard } from './guard.ts';
import { ruleOf } from './role.ts';

export function authenticate(guard: Guard, onRefusal: (method: string, peer: string, why: string) => void) {
  const interceptor: ServerInterceptor = (method, call) =>
    new ServerInterceptingCall(call, {
      start(next) {
        next({
          onReceiveMetadata(metadata, pass) {
            const refusal =
              oversized(metadata) ??
              guard.refusal(ruleOf(method.path), {
                certificate: call.getAuthContext().sslPeerCertificate,
                authorization: metadata.get('authorization')[0]?.toString(),
              });
            if (!refusal) return pass(metadata);
            onRefusal(method.path, call.getPeer(), refusal.message);
            call.sendStatus(grpcStatus(refusal));
          },
        });
      },
    });
  return interceptor;
}

function oversized(metadata: Metadata): MillraceError | undefined {
  let bytes = 0;
  for (const [name, values] of Object.entries(metadata.toHttp2Headers()))
    bytes += name.length + String(values).length;
  if (bytes <= limits.metadataBytesMax) return undefined;
  return new MillraceError(
    'limit-exceeded',
    `the metadata of the call has ${bytes} bytes, over the limit of ${limits.metadataBytesMax}; send less of it`,
  );
}
