/** Calls as somebody makes them who does not use our clients: any method, any bytes, any credentials. */
import {
  type ChannelCredentials,
  Client,
  credentials,
  Metadata,
  type MethodDefinition,
  type ServiceDefinition,
  type StatusObject,
  status,
} from '@grpc/grpc-js';
import { channelName } from '../../lib/security/tls.ts';
import {
  loadClientService,
  loadDoctorService,
  loadOperatorService,
  loadShuffleService,
  loadWorkerService,
} from '../../proto/load.ts';

export type Method = MethodDefinition<object, object>;

export const coordinatorMethods = [
  loadClientService(),
  loadOperatorService(),
  loadDoctorService(),
  loadWorkerService(),
].flatMap(({ service }) => Object.values(service as ServiceDefinition) as Method[]);

export const shuffleMethods = Object.values(loadShuffleService().service as ServiceDefinition) as Method[];

/** By the last part of its path: `Submit`. */
export function methodNamed(name: string): Method {
  const method = [...coordinatorMethods, ...shuffleMethods].find(({ path }) => path.endsWith(`/${name}`));
  if (!method) throw new Error(`there is no method ${name}`);
  return method;
}

export interface RawCall {
  readonly address: string;
  readonly channel?: ChannelCredentials;
  readonly method: Method;
  readonly token?: string | undefined;
  /** Sent one after the other; default one empty message. */
  readonly messages?: readonly object[];
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Outcome {
  /** `UNAUTHENTICATED`. */
  readonly code: string;
  readonly details: string;
  /** Messages that came back. */
  readonly received: readonly object[];
}

/** How the call ended. One that the server leaves open is ended by this side when its first message has come. */
export async function callRaw(raw: RawCall): Promise<Outcome> {
  const { method, messages = [{}] } = raw;
  const client = new Client(raw.address, raw.channel ?? credentials.createInsecure(), {
    ...channelName,
    'grpc.enable_http_proxy': 0,
    'grpc.use_local_subchannel_pool': 1,
    'grpc.enable_retries': 0,
  });
  const metadata = new Metadata();
  if (raw.token !== undefined) metadata.set('authorization', `Bearer ${raw.token}`);
  for (const [name, value] of Object.entries(raw.headers ?? {})) metadata.set(name, value);
  try {
    const { path, requestSerialize, responseDeserialize } = method;
    const received: object[] = [];
    // A bidi call fits every method on the wire: only counts of messages differ.
    const call = client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize, metadata);
    const ended = new Promise<StatusObject>((resolve) => call.on('status', resolve));
    call.on('error', () => undefined);
    call.on('data', (message: object) => {
      received.push(message);
      if (method.responseStream) call.end();
    });
    for (const message of messages) call.write(message);
    if (!(method.requestStream && method.responseStream)) call.end();
    const { code, details } = await ended;
    return { code: status[code] ?? String(code), details, received };
  } finally {
    client.close();
  }
}
