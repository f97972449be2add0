/** The gRPC server of the coordinator: binds, serves, stops. */
import { Server } from '@grpc/grpc-js';
import type { Address } from '../../lib/address.ts';
import { bindServer } from '../../lib/bind-server.ts';
import type { Clock } from '../../lib/clock.ts';
import { addHealth, type Health, noHealth } from '../../lib/health.ts';
import { limits } from '../../lib/limits.ts';
import type { Log } from '../../lib/log.ts';
import { authenticate } from '../../lib/security/authenticate.ts';
import type { Guard } from '../../lib/security/guard.ts';
import { logRefusals } from '../../lib/security/refusal-log.ts';
import type { ClientHandlers } from '../../proto/gen/millrace/v1/Client.ts';
import type { DoctorHandlers } from '../../proto/gen/millrace/v1/Doctor.ts';
import type { OperatorHandlers } from '../../proto/gen/millrace/v1/Operator.ts';
import type { WorkerControlHandlers } from '../../proto/gen/millrace/v1/WorkerControl.ts';
import {
  loadClientService,
  loadDoctorService,
  loadOperatorService,
  loadWorkerService,
} from '../../proto/load.ts';

export interface RpcHandlers {
  readonly client: ClientHandlers;
  readonly worker: WorkerControlHandlers;
  readonly doctor: DoctorHandlers;
  readonly operator: OperatorHandlers;
}

export interface RpcServer extends AsyncDisposable {
  /** HOST:PORT as bound. */
  readonly address: string;
  readonly health: Health;
  /** Calls from now on go to these; those under way stay where they are. */
  serve(handlers: RpcHandlers): void;
}

export interface RpcServerOptions {
  readonly listen: Address;
  /** Every call passes it, of whatever service. */
  readonly guard: Guard;
  readonly log: Log;
  readonly clock: Clock;
  /** The health service too, for probes; default false. */
  readonly probes?: boolean;
  /** The port has as many connections as it takes. */
  readonly onConnectionRefused?: (() => void) | undefined;
}

/** Throws `unavailable` naming the address when it cannot be bound. */
export async function startRpcServer(
  { listen, guard, log, clock, probes, onConnectionRefused }: RpcServerOptions,
  handlers: RpcHandlers,
): Promise<RpcServer> {
  const logRefusal = logRefusals(log, clock);
  const server = new Server({
    interceptors: [authenticate(guard, logRefusal)],
    'grpc.max_receive_message_length': limits.grpcMessageBytesMax,
    'grpc.max_concurrent_streams': limits.grpcStreamsMax,
    // A stalled peer is found by its lease; keepalive only frees the sockets of those that are gone for good.
    'grpc.keepalive_time_ms': 10_000,
    'grpc.keepalive_timeout_ms': 20_000,
    'grpc.keepalive_permit_without_calls': 1,
  });
  const serve = (next: RpcHandlers) => {
    for (const [{ service }, implementation] of servicesOf(next)) {
      server.removeService(service);
      server.addService(service, implementation);
    }
  };
  serve(handlers);
  const services = ['Client', 'Operator', 'Doctor', 'WorkerControl'].map((name) => `millrace.v1.${name}`);
  const health = probes ? await addHealth(server, services) : noHealth;
  const bound = await bindServer(server, listen, {
    tls: guard.tls,
    onRefused(peer, why) {
      logRefusal('connect', peer, why);
      onConnectionRefused?.();
    },
  });
  return {
    address: bound.address,
    health,
    serve,
    [Symbol.asyncDispose]: bound.close,
  };
}

function servicesOf({ client, worker, doctor, operator }: RpcHandlers) {
  return [
    [loadClientService(), client],
    [loadWorkerService(), worker],
    [loadDoctorService(), doctor],
    [loadOperatorService(), operator],
  ] as const;
}
