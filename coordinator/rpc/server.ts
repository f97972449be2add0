/** The gRPC server of the coordinator: binds, serves, stops. */
import { Server, ServerCredentials } from '@grpc/grpc-js';
import { type Address, formatAddress } from '../../lib/address.ts';
import { MillraceError } from '../../lib/errors.ts';
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
  const port = await bind(server, listen);
  return {
    address: formatAddress({ host: listen.host, port }),
    async [Symbol.asyncDispose]() {
      await new Promise<void>((resolve) => {
        server.tryShutdown(() => resolve());
        // Streams that their peers keep open would hold a polite shutdown for ever.
        setImmediate(() => server.forceShutdown());
      });
    },
  };
}

function bind(server: Server, listen: Address): Promise<number> {
  const address = formatAddress(listen);
  return new Promise((resolve, reject) => {
    server.bindAsync(address, ServerCredentials.createInsecure(), (error, port) => {
      if (!error) resolve(port);
      else
        reject(new MillraceError('unavailable', `cannot listen on ${address} (--listen): ${error.message}`));
    });
  });
}
