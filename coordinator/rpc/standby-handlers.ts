/** What a coordinator that does not lead answers to every call of every service. */
import type {
  ServerWritableStream,
  ServiceDefinition,
  sendUnaryData,
  UntypedServiceImplementation,
} from '@grpc/grpc-js';
import type { MillraceError } from '../../lib/errors.ts';
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
import { toServiceError } from './grpc-error.ts';
import type { RpcHandlers } from './server.ts';

/** `refusal` is asked at each call. */
export function standbyHandlers(refusal: () => MillraceError): RpcHandlers {
  return {
    client: refusing(loadClientService().service, refusal) as ClientHandlers,
    worker: refusing(loadWorkerService().service, refusal) as WorkerControlHandlers,
    doctor: refusing(loadDoctorService().service, refusal) as DoctorHandlers,
    operator: refusing(loadOperatorService().service, refusal) as OperatorHandlers,
  };
}

function refusing(service: ServiceDefinition, refusal: () => MillraceError): UntypedServiceImplementation {
  const methods = Object.entries(service).map(([name, { responseStream }]) => {
    const refuse = responseStream
      ? (call: ServerWritableStream<unknown, unknown>) => void call.emit('error', toServiceError(refusal()))
      : (_call: unknown, reply: sendUnaryData<unknown>) => reply(toServiceError(refusal()));
    return [name, refuse] as const;
  });
  return Object.fromEntries(methods);
}
