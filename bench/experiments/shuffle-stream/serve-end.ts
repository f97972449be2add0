/**
 * The end that has the bytes: run files as maps leave them, served by the worker's own server, and the same bytes by plain node:http2; each with
 * and without mTLS. Forked by shuffle-stream.ts; its first argument is a {@link ServePlan} as JSON.
 */
import { randomFillSync } from 'node:crypto';
import { open } from 'node:fs/promises';
import { createSecureServer, createServer, type Http2Server, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { systemClock } from '../../../lib/clock.ts';
import { writePairHeader } from '../../../lib/codec/pair.ts';
import { toJobId, toWorkerId } from '../../../lib/ids.ts';
import { createLog } from '../../../lib/log.ts';
import { TicketIssuer, TicketKeys } from '../../../lib/security/ticket.ts';
import { compileTls, type TlsMaterial } from '../../../lib/security/tls.ts';
import { collectBuffersEarly } from '../../../worker/collect-buffers-early.ts';
import { serveShuffle } from '../../../worker/control/serve-shuffle.ts';
import { MapOutputs } from '../../../worker/shuffle/outputs.ts';
import { RunWriter } from '../../../worker/shuffle/run-file.ts';
import type { ServedBytes, ServePlan } from './messages.ts';

const pairBytes = 100;
const rawChunkBytes = 256 * 1024;
const jobId = toJobId('shuffle-stream');

async function main({ folder, segments, segmentBytes, tls: files }: ServePlan): Promise<void> {
  const outputs = new MapOutputs();
  const paths = Array.from({ length: segments }, (_, map) => {
    const path = join(folder, `m${map}.run`);
    writeRun(path, segmentBytes);
    outputs.add({ jobId, kind: 'map', index: map, attempt: 0, epoch: 1 }, path);
    return path;
  });
  const issuer = new TicketIssuer(systemClock, 1);
  const ticketKeys = new TicketKeys(systemClock);
  ticketKeys.add(issuer.key);
  const tls = compileTls(files);
  const grpc = (tlsOrNone: TlsMaterial | undefined) =>
    serveShuffle({
      listen: { host: '127.0.0.1', port: 0 },
      tls: tlsOrNone,
      outputs,
      ticketKeys,
      workerId: () => toWorkerId('w1'),
      clock: systemClock,
      log: createLog('serve-end', 'silent'),
    });
  const served: ServedBytes = {
    ticket: issuer.ticketOf(jobId),
    counts: paths.map((_, map) => {
      const { records, bytes, crc32 } = outputs.find(jobId, map, 0, 1)!.segment(0);
      return { records, bytes, crc32 };
    }),
    plain: { grpc: (await grpc(undefined)).address, http2: await serveRaw(paths, undefined) },
    mtls: { grpc: (await grpc(tls)).address, http2: await serveRaw(paths, tls) },
  };
  process.on('message', () => process.send!(process.cpuUsage()));
  process.on('disconnect', () => process.exit());
  process.send!(served);
}

/** One partition of pairs of 100 bytes. */
function writeRun(path: string, bytes: number): void {
  const pair = Buffer.alloc(2 * pairBytes);
  const keyStart = writePairHeader(pair, 0, 10, pairBytes - 12);
  randomFillSync(pair, keyStart, pairBytes - keyStart);
  const writer = new RunWriter(path, 1);
  for (let written = 0; written < bytes; written += pairBytes) {
    writer.append(0, pair, 0, pairBytes);
  }
  writer.finish();
}

/** The same files, read and sent without frames, checksums or tickets. */
async function serveRaw(paths: readonly string[], tls: TlsMaterial | undefined): Promise<string> {
  const server: Http2Server = tls?.identity
    ? createSecureServer({ ca: tls.ca, ...tls.identity, requestCert: true, rejectUnauthorized: true })
    : createServer();
  server.on('stream', (stream) => void sendRaw(stream, paths));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function sendRaw(stream: ServerHttp2Stream, paths: readonly string[]): Promise<void> {
  stream.respond({ ':status': 200 });
  for (const path of paths) {
    await using file = await open(path, 'r');
    for (;;) {
      const { bytesRead, buffer } = await file.read(Buffer.allocUnsafeSlow(rawChunkBytes));
      if (bytesRead === 0) break;
      if (!stream.write(buffer.subarray(0, bytesRead)))
        await new Promise<void>((resolve) => stream.once('drain', resolve));
    }
  }
  stream.end();
}

collectBuffersEarly();
await main(JSON.parse(process.argv[2]!) as ServePlan);
