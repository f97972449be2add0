/** The gRPC server that other workers fetch from. */
import { Server } from '@grpc/grpc-js';
import type { Address } from '../../lib/address.ts';
import { bindServer } from '../../lib/bind-server.ts';
import type { Clock } from '../../lib/clock.ts';
import { addHealth, type Health, noHealth } from '../../lib/health.ts';
import type { WorkerId } from '../../lib/ids.ts';
import { limits } from '../../lib/limits.ts';
import type { Log } from '../../lib/log.ts';
import { authenticate } from '../../lib/security/authenticate.ts';
import { Guard } from '../../lib/security/guard.ts';
import { logRefusals } from '../../lib/security/refusal-log.ts';
import type { TicketKeys } from '../../lib/security/ticket.ts';
import type { TlsMaterial } from '../../lib/security/tls.ts';
import { loadShuffleService } from '../../proto/load.ts';
import type { MapOutputs } from '../shuffle/outputs.ts';
import { createShuffleHandlers } from '../shuffle/serve.ts';

export interface ShuffleServer {
  /** HOST:PORT as bound. */
  readonly address: string;
  readonly health: Health;
  close(): Promise<void>;
}

export interface ShuffleServerOptions {
  readonly listen: Address;
  /** Of this worker: peers must show certificates of its CA, if it has one. */
  readonly tls: TlsMaterial | undefined;
  readonly outputs: MapOutputs;
  readonly ticketKeys: TicketKeys;
  /** Asked at each ping: a worker that joins again has a new one. */
  readonly workerId: () => WorkerId;
  /** The health service too, for probes; default false. */
  readonly probes?: boolean;
  readonly clock: Clock;
  readonly log: Log;
}

/** Throws `unavailable` naming the address when it cannot be bound. */
export async function serveShuffle(options: ShuffleServerOptions): Promise<ShuffleServer> {
  const { listen, tls, outputs, ticketKeys, workerId, probes, clock, log } = options;
  const guard = new Guard(tls, undefined);
  const logRefusal = logRefusals(log, clock);
  const server = new Server({
    interceptors: [authenticate(guard, logRefusal)],
    'grpc.max_receive_message_length': limits.fetchRequestBytesMax,
    'grpc.max_concurrent_streams': limits.grpcStreamsMax,
  });
  server.addService(loadShuffleService().service, createShuffleHandlers(outputs, ticketKeys, workerId));
  const health = probes ? await addHealth(server, ['millrace.v1.Shuffle']) : noHealth;
  const onRefused = (peer: string, why: string) => logRefusal('connect', peer, why);
  const bound = await bindServer(server, listen, { tls: guard.tls, onRefused });
  return { address: bound.address, health, close: bound.close };
}
