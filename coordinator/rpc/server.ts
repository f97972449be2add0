/** The gRPC server of the coordinator: binds, serves, stops. */
import { Server } from '@grpc/grpc-js';
import type { Address } from '../../lib/address.ts';
import { bindServer } from '../../lib/bind-server.ts';
import { limits } from '../../lib/limits.ts';
import type { ClientHandlers } from '../../proto/gen/millrace/v1/Client.ts';
import type { WorkerControlHandlers } from '../../proto/gen/millrace/v1/WorkerControl.ts';
import { loadClientService, loadWorkerService } from '../../proto/load.ts';

export interface RpcServer extends AsyncDisposable {
  /** HOST:PORT as bound. */
  readonly address: string;
}

export async function startRpcServer(
  listen: Address,
  handlers: { readonly client: ClientHandlers; readonly worker: WorkerControlHandlers },
): Promise<RpcServer> {
  const server = new Server({
    'grpc.max_receive_message_length': limits.grpcMessageBytesMax,
    // A stalled peer is found by its lease; keepalive only frees the sockets of those that are gone for good.
    'grpc.keepalive_time_ms': 10_000,
    'grpc.keepalive_timeout_ms': 20_000,
    'grpc.keepalive_permit_without_calls': 1,
  });
  server.addService(loadClientService().service, handlers.client);
  server.addService(loadWorkerService().service, handlers.worker);
  const address = await bindServer(server, listen);
  return {
    address,
    async [Symbol.asyncDispose]() {
      await new Promise<void>((resolve) => {
        server.tryShutdown(() => resolve());
        // Streams that their peers keep open would hold a polite shutdown for ever.
        setImmediate(() => server.forceShutdown());
      });
    },
  };
}
