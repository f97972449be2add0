/**
 * The worker's part of `millrace doctor`: it reads back what the coordinator has put into the store, and asks every peer it
 * is told of, at its advertised address, who it is.
 */
import { type ServiceError, status } from '@grpc/grpc-js';
import pLimit from 'p-limit';
import { isLoopback, parseAddress } from '../../lib/address.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Finding } from '../../lib/diagnosis.ts';
import { MillraceError } from '../../lib/errors.ts';
import { examine } from '../../lib/examine.ts';
import type { WorkerId } from '../../lib/ids.ts';
import { collectBytes } from '../../lib/iterables.ts';
import { limits } from '../../lib/limits.ts';
import type { Stores } from '../../lib/store/resolve.ts';
import type { PingReply__Output } from '../../proto/gen/millrace/v1/PingReply.ts';
import type { PeerChannels } from '../shuffle/fetch.ts';

export interface DiagnosedPeer {
  readonly worker: WorkerId;
  readonly host: string;
  /** HOST:PORT as that worker advertises it. */
  readonly fetchAddress: string;
}

export interface DiagnoseRequest {
  readonly id: string;
  /** An object of the coordinator's store that holds the id. Empty: the coordinator could not write it. */
  readonly storeUri: string;
  readonly peers: readonly DiagnosedPeer[];
  readonly ticket: string;
}

export interface DiagnosePorts {
  readonly clock: Clock;
  readonly stores: Stores;
  /** Of this worker. */
  readonly host: string;
  /** Fresh ones: a connection that is up already would hide an address that has gone wrong since. */
  openChannels(): PeerChannels;
}

const storeTimeoutMs = 10_000;
const pingTimeoutMs = 3_000;
const pingsAtOnceMax = 16;

/** Never throws: what goes wrong is a finding. */
export async function diagnose(request: DiagnoseRequest, ports: DiagnosePorts): Promise<Finding[]> {
  const channels = ports.openChannels();
  const limit = pLimit(pingsAtOnceMax);
  try {
    const [store, peers] = await Promise.all([
      request.storeUri === '' ? [] : readStore(request, ports),
      limit.map(request.peers.slice(0, limits.diagnosedPairsMax), (peer) =>
        examine(`fetch from ${peer.worker}`, ports.clock, 2 * pingTimeoutMs, () =>
          ping(peer, request.ticket, channels, ports),
        ),
      ),
    ]);
    return [...store, ...peers];
  } finally {
    channels.close();
  }
}

async function readStore(request: DiagnoseRequest, { clock, stores }: DiagnosePorts): Promise<Finding[]> {
  const { id, storeUri } = request;
  const finding = await examine('store: read', clock, storeTimeoutMs, async (signal) => {
    const { store, key } = stores.locate(storeUri);
    // Bounded: what lies there may be anything.
    const bytes = await collectBytes(store.read(key, { start: 0, end: id.length + 1, signal })).catch(
      (error) => {
        throw storeError(MillraceError.from(error), storeUri);
      },
    );
    if (bytes.toString('latin1') !== id) {
      throw new MillraceError(
        'corrupt',
        `${storeUri} holds something else here than the coordinator wrote: both must use the same store`,
      );
    }
    return 'reads what the coordinator wrote';
  });
  return [finding];
}

function storeError(error: MillraceError, uri: string): MillraceError {
  if (error.code !== 'not-found') return error;
  const cause = uri.startsWith('file:')
    ? "a folder must be on a disk that all machines share, under the same path; else use s3://… as the coordinator's --store"
    : 'both must use the same endpoint (AWS_ENDPOINT_URL_S3)';
  return new MillraceError(
    'not-found',
    `does not see what the coordinator wrote to its --store: ${error.message}; ${cause}`,
  );
}

async function ping(
  peer: DiagnosedPeer,
  ticket: string,
  channels: PeerChannels,
  ports: DiagnosePorts,
): Promise<string> {
  const { fetchAddress, worker } = peer;
  const deadline = ports.clock.now() + pingTimeoutMs;
  const answer = await new Promise<PingReply__Output>((resolve, reject) => {
    channels.get(fetchAddress).ping({ ticket }, { deadline }, (error, reply) => {
      if (error || !reply) reject(pingError(error, peer, ports.host));
      else resolve(reply);
    });
  });
  if (answer.worker === worker) return `${fetchAddress} answers as ${worker}`;
  throw new MillraceError(
    'unavailable',
    `${fetchAddress} is answered by worker ${answer.worker.slice(0, 64)}, not by ${worker}: ${advertiseOf(peer)} leads elsewhere`,
  );
}

function advertiseOf({ worker }: DiagnosedPeer): string {
  return `--advertise (MILLRACE_ADVERTISE) of worker ${worker}`;
}

function pingError(error: ServiceError | null, peer: DiagnosedPeer, host: string): MillraceError {
  const { fetchAddress } = peer;
  if (peer.host !== host && isLoopback(parseAddress(fetchAddress, 'the fetch address').host)) {
    return new MillraceError(
      'unavailable',
      `${fetchAddress} leads every machine to itself; start worker ${peer.worker} on ${peer.host} with ` +
        '--listen 0.0.0.0:PORT and an --advertise HOST:PORT (MILLRACE_ADVERTISE) that the others can reach',
    );
  }
  const details = error?.details || error?.message || 'no answer';
  switch (error?.code) {
    case status.DEADLINE_EXCEEDED:
      return new MillraceError(
        'timeout',
        `${fetchAddress} does not answer: a firewall or network policy drops it, or ${advertiseOf(peer)} is wrong`,
      );
    case status.UNIMPLEMENTED:
      return new MillraceError(
        'unavailable',
        `${fetchAddress} is no Millrace worker of this version: ${advertiseOf(peer)} leads elsewhere`,
      );
    case status.UNAUTHENTICATED:
    case status.PERMISSION_DENIED:
      return new MillraceError(
        'unauthenticated',
        `${fetchAddress} refuses this coordinator's ticket (${shorten(details)}): it belongs to another cluster, or its ` +
          `clock is wrong; check ${advertiseOf(peer)}`,
      );
    default:
      return new MillraceError('unavailable', unreachable(peer, details));
  }
}

function unreachable(peer: DiagnosedPeer, details: string): string {
  const { fetchAddress } = peer;
  if (/ECONNREFUSED/.test(details))
    return `nothing listens at ${fetchAddress}: ${advertiseOf(peer)} must lead to its --listen (MILLRACE_LISTEN)`;
  if (/ENOTFOUND|EAI_AGAIN|Name resolution/.test(details)) {
    return `the name in ${fetchAddress} is not known here: ${advertiseOf(peer)} must be an address, or a name that every worker can resolve`;
  }
  if (/certificate|SSL|TLS|altnames/i.test(details)) {
    return `no TLS with ${fetchAddress} (${shorten(details)}): --tls-cert of worker ${peer.worker} must name that host and be signed by --tls-ca here`;
  }
  return `${fetchAddress} cannot be reached (${shorten(details)}); check ${advertiseOf(peer)} and the network between the two`;
}

/** grpc-js adds what it tried, over several lines; the system's own words say enough. */
function shorten(details: string): string {
  return (details.split('\n')[0] ?? '')
    .replace(/^No connection established\. Last error: /, '')
    .slice(0, 160);
}
