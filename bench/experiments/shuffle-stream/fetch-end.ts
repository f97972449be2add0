/**
 * The end that takes the bytes: by the worker's own fetch, into memory as a reduce does, checked; or by plain node:http2, counted and dropped. Forked by
 * shuffle-stream.ts with what is served, the certificates' files and a scratch folder as JSON in its first argument.
 */
import { connect } from 'node:http2';
import { join } from 'node:path';
import { systemClock } from '../../../lib/clock.ts';
import { toJobId } from '../../../lib/ids.ts';
import { credentialsToWorker, noCredentials } from '../../../lib/security/credentials.ts';
import { compileTls, type TlsOptions } from '../../../lib/security/tls.ts';
import { collectBuffersEarly } from '../../../worker/collect-buffers-early.ts';
import { fetchSegments, PeerChannels } from '../../../worker/shuffle/fetch.ts';
import { SegmentStore } from '../../../worker/shuffle/segment-store.ts';
import type { FetchedBytes, FetchOrder, ServedBytes, Wire } from './messages.ts';

interface FetchEnd {
  readonly served: ServedBytes;
  readonly tls: TlsOptions;
  readonly folder: string;
}

const { served, tls: files, folder } = JSON.parse(process.argv[2]!) as FetchEnd;
/** As a worker's. */
const windowBytes = 8 * 1024 * 1024;
collectBuffersEarly();
const tls = compileTls(files);
const channels = {
  plain: new PeerChannels(credentialsToWorker(noCredentials)),
  mtls: new PeerChannels(credentialsToWorker({ token: undefined, tls })),
};

async function fetchByGrpc(wire: Wire): Promise<number> {
  const { counts, ticket } = served;
  const bytesMax = counts.reduce((sum, { bytes }) => sum + bytes, 0);
  const store = new SegmentStore(join(folder, 'fetched'), bytesMax);
  let bytes = 0;
  const results = fetchSegments({
    client: channels[wire].get(served[wire].grpc),
    jobId: toJobId('shuffle-stream'),
    ticket,
    reduce: 0,
    segments: counts.map((_, map) => ({ map, attempt: 0, epoch: 1 })),
    store,
    clock: systemClock,
    idleTimeoutMs: 15_000,
    signal: new AbortController().signal,
    nameOf: ({ map }) => `map m${map}`,
    isReported: ({ map }, came) => came.crc32 === counts[map]!.crc32,
  });
  for await (const result of results) {
    if (result.kind !== 'held') throw new Error(result.detail);
    bytes += result.source.counts.bytes;
  }
  await store.discard();
  return bytes;
}

async function fetchByHttp2(wire: Wire): Promise<number> {
  const secure =
    wire === 'mtls' && tls ? { ca: tls.ca, ...tls.identity, checkServerIdentity: () => undefined } : {};
  const scheme = wire === 'mtls' ? 'https' : 'http';
  const session = connect(`${scheme}://${served[wire].http2}`, {
    ...secure,
    settings: { initialWindowSize: windowBytes },
  });
  session.on('remoteSettings', () => session.setLocalWindowSize(windowBytes));
  await new Promise((resolve, reject) => session.once('remoteSettings', resolve).once('error', reject));
  const stream = session.request({ ':path': '/' });
  let bytes = 0;
  stream.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
  });
  await new Promise((resolve, reject) => stream.once('end', resolve).once('error', reject));
  session.close();
  return bytes;
}

process.on('message', ({ via, wire }: FetchOrder) => {
  void (async () => {
    const cpu = process.cpuUsage();
    const startMs = performance.now();
    const bytes = await (via === 'grpc' ? fetchByGrpc(wire) : fetchByHttp2(wire));
    const { user, system } = process.cpuUsage(cpu);
    const fetched: FetchedBytes = {
      ms: performance.now() - startMs,
      bytes,
      cpuSeconds: (user + system) / 1e6,
    };
    process.send!(fetched);
  })();
});
process.on('disconnect', () => process.exit());
