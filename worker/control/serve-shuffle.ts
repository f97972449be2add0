/** The gRPC server that other workers fetch from. */
import { Server, ServerCredentials } from '@grpc/grpc-js';
import { type Address, formatAddress } from '../../lib/address.ts';
import { MillraceError } from '../../lib/errors.ts';
import { limits } from '../../lib/limits.ts';
import { loadShuffleService } from '../../proto/load.ts';
import type { MapOutputs } from '../shuffle/outputs.ts';
import { createShuffleHandlers } from '../shuffle/serve.ts';

export interface ShuffleServer {
  /** HOST:PORT as bound. */
  readonly address: string;
  close(): void;
}

/** Throws `unavailable` naming the address when it cannot be bound. */
export async function serveShuffle(listen: Address, outputs: MapOutputs): Promise<ShuffleServer> {
  const server = new Server({ 'grpc.max_receive_message_length': limits.grpcMessageBytesMax });
  server.addService(loadShuffleService().service, createShuffleHandlers(outputs));
  const address = formatAddress(listen);
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync(address, ServerCredentials.createInsecure(), (error, bound) => {
      if (!error) resolve(bound);
      else
        reject(new MillraceError('unavailable', `cannot listen on ${address} (--listen): ${error.message}`));
    });
  });
  return {
    address: formatAddress({ host: listen.host, port }),
    close: () => server.forceShutdown(),
  };
}
