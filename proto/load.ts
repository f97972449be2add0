/**
 * The service definitions, loaded from the .proto files beside this one. The options agree with scripts/gen-proto.ts.
 * Fetch answers keep their bytes as they are: its response serializer is the identity, so the shuffle copies nothing.
 */
import { join } from 'node:path';
import { type GrpcObject, loadPackageDefinition, type ServiceDefinition } from '@grpc/grpc-js';
import { loadSync, type PackageDefinition } from '@grpc/proto-loader';
import type { ProtoGrpcType as ClientProto } from './gen/client.ts';
import type { ProtoGrpcType as DoctorProto } from './gen/doctor.ts';
import type { ProtoGrpcType as OperatorProto } from './gen/operator.ts';
import type { ProtoGrpcType as ShuffleProto } from './gen/shuffle.ts';
import type { ProtoGrpcType as WorkerProto } from './gen/worker.ts';

/** Both sides of a session must speak the same; sent in Hello. */
export const protocolVersion = 5;

// In the built package this file is dist/proto/load.js and the .proto files are in proto/.
const directory = import.meta.filename.endsWith('.ts')
  ? import.meta.dirname
  : join(import.meta.dirname, '../../proto');

/** By file. Reading one takes milliseconds, and whoever reconnects asks again. */
const loaded = new Map<string, GrpcObject>();

function load(file: string): GrpcObject {
  const known = loaded.get(file);
  if (known) return known;
  const services = loadPackageDefinition(readDefinition(file));
  loaded.set(file, services);
  return services;
}

function readDefinition(file: string): PackageDefinition {
  const definition = loadSync(join(directory, file), {
    longs: Number,
    enums: String,
    defaults: true,
    oneofs: true,
    includeDirs: [directory],
  });
  const shuffle = definition['millrace.v1.Shuffle'] as ServiceDefinition | undefined;
  // Before the client class is made: it takes the serializers with it.
  if (shuffle)
    Object.assign(shuffle.Fetch!, { responseSerialize: keepBytes, responseDeserialize: keepBytes });
  return definition;
}

function keepBytes(frame: Buffer): Buffer {
  return frame;
}

export function loadClientService(): ClientProto['millrace']['v1']['Client'] {
  return (load('client.proto') as unknown as ClientProto).millrace.v1.Client;
}

export function loadOperatorService(): OperatorProto['millrace']['v1']['Operator'] {
  return (load('operator.proto') as unknown as OperatorProto).millrace.v1.Operator;
}

export function loadDoctorService(): DoctorProto['millrace']['v1']['Doctor'] {
  return (load('doctor.proto') as unknown as DoctorProto).millrace.v1.Doctor;
}

export function loadWorkerService(): WorkerProto['millrace']['v1']['WorkerControl'] {
  return (load('worker.proto') as unknown as WorkerProto).millrace.v1.WorkerControl;
}

export function loadShuffleService(): ShuffleProto['millrace']['v1']['Shuffle'] {
  return (load('shuffle.proto') as unknown as ShuffleProto).millrace.v1.Shuffle;
}
