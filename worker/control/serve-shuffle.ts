/** The gRPC server that other workers fetch from. */
import { Server } from '@grpc/grpc-js';
import type { Address } from '../../lib/address.ts';
import { bindServer } from '../../lib/bind-server.ts';
import type { WorkerId } from '../../lib/ids.ts';
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
export async function serveShuffle(
  listen: Address,
  outputs: MapOutputs,
  workerId: () => WorkerId,
): Promise<ShuffleServer> {
  const server = new Server({ 'grpc.max_receive_message_length': limits.grpcMessageBytesMax });
  server.addService(loadShuffleService().service, createShuffleHandlers(outputs, workerId));
  const address = await bindServer(server, listen);
  return {
    address,
    close: () => server.forceShutdown(),
  };
}
