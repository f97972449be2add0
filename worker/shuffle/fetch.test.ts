/** Serve and fetch over a real gRPC stream, with files as a map attempt leaves them. */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Server, ServerCredentials, type ServerWritableStream } from '@grpc/grpc-js';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Clock, ManualClock, systemClock } from '../../lib/clock.ts';
import { PairCursor, writePairHeader } from '../../lib/codec/pair.ts';
import { type AttemptId, toJobId, toWorkerId } from '../../lib/ids.ts';
import { credentialsToWorker, noCredentials } from '../../lib/security/credentials.ts';
import { loadShuffleService } from '../../proto/load.ts';
import { makeTickets } from '../../test/tickets.ts';
import { type Fetched, type FetchPlan, fetchSegments, PeerChannels } from './fetch.ts';
import { frameHeaderBytes, type WantedSegment, writeFrameHeader } from './fetch-frames.ts';
import { MapOutputs } from './outputs.ts';
import { RunWriter } from './run-file.ts';
import type { SegmentSource } from './segment-reader.ts';
import { SegmentStore } from './segment-store.ts';
import { createShuffleHandlers } from './serve.ts';

const jobId = toJobId('job');
const tickets = makeTickets();
let folder: string;
let outputs: MapOutputs;
let servers: Server[];
let channels: PeerChannels;
let stores: SegmentStore[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-fetch-'));
  outputs = new MapOutputs();
  servers = [];
  channels = new PeerChannels(credentialsToWorker(noCredentials));
  stores = [];
});
afterEach(async () => {
  channels.close();
  for (const store of stores) await store.discard();
  outputs.removeAll();
  for (const server of servers) server.forceShutdown();
  rmSync(folder, { recursive: true });
});

const idOf = (map: number, attempt = 0): AttemptId => ({ jobId, kind: 'map', index: map, attempt, epoch: 1 });
const wantedOf = (map: number, attempt = 0): WantedSegment => ({ map, attempt, epoch: 1 });

/** Two partitions: partition 1 holds one value of `bytes` bytes under the key `k`. */
function addOutput(map: number, bytes: number): Buffer {
  const value = randomBytes(bytes);
  const pair = Buffer.alloc(32 + bytes);
  const keyStart = writePairHeader(pair, 0, 1, bytes);
  pair.write('k', keyStart);
  value.copy(pair, keyStart + 1);
  const path = join(folder, `m${map}.run`);
  const writer = new RunWriter(path, 2);
  writer.append(1, pair, 0, keyStart + 1 + bytes);
  writer.finish();
  outputs.add(idOf(map), path);
  return value;
}

async function serve(
  fetch = createShuffleHandlers(outputs, tickets.keys, () => toWorkerId('w1')).Fetch,
): Promise<string> {
  const server = new Server();
  server.addService(loadShuffleService().service, { Fetch: fetch });
  servers.push(server);
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    ),
  );
  return `127.0.0.1:${port}`;
}

interface Wish {
  address: string;
  segments: WantedSegment[];
  reduce?: number;
  memoryBytes?: number;
  clock?: Clock;
  ticket?: string;
  signal?: AbortSignal;
  isReported?: FetchPlan['isReported'];
}

function plan({
  address,
  segments,
  reduce = 1,
  memoryBytes = 1e9,
  clock = systemClock,
  ticket = tickets.issuer.ticketOf(jobId),
  signal,
  isReported = () => true,
}: Wish): FetchPlan {
  const store = new SegmentStore(join(folder, 'fetched'), memoryBytes);
  stores.push(store);
  return {
    client: channels.get(address),
    jobId,
    ticket,
    reduce,
    segments,
    store,
    clock,
    idleTimeoutMs: 5_000,
    signal: signal ?? new AbortController().signal,
    nameOf: (segment) => `map m${segment.map}`,
    isReported,
  };
}

async function collect(results: AsyncIterable<Fetched>): Promise<Fetched[]> {
  const all: Fetched[] = [];
  for await (const result of results) all.push(result);
  return all;
}

function bytesOf(result: Fetched | undefined): Buffer {
  const source = (result as { source: SegmentSource }).source;
  const bytes =
    source.kind === 'memory'
      ? source.bytes
      : readFileSync(source.path).subarray(source.offset, source.offset + source.counts.bytes);
  const pairs = new PairCursor(bytes, 0, bytes.length);
  expect(pairs.advance()).toBe(true);
  return pairs.bytes.subarray(pairs.valueStart, pairs.valueEnd);
}

test('segments of all sizes arrive whole, in the order asked, from memory or from the file beyond the budget', async () => {
  const sizes = [0, 1, 1_000, 255 * 1024, 256 * 1024, 3_000_000];
  const values = sizes.map((bytes, map) => addOutput(map, bytes));
  const address = await serve();
  for (const memoryBytes of [1e9, 300_000, 0]) {
    const order = [5, 0, 3, 1, 4, 2];
    const results = await collect(
      fetchSegments(plan({ address, segments: order.map((map) => wantedOf(map)), memoryBytes })),
    );
    expect(results.map((result) => result.kind)).toEqual(order.map(() => 'held'));
    for (const [i, result] of results.entries())
      expect(bytesOf(result).equals(values[order[i]!]!)).toBe(true);
  }
});

test('an empty segment is held with no bytes', async () => {
  addOutput(0, 10);
  const address = await serve();
  const [result] = await collect(fetchSegments(plan({ address, segments: [wantedOf(0)], reduce: 0 })));
  expect(result).toMatchObject({ kind: 'held', source: { counts: { records: 0, bytes: 0 } } });
});

test('another attempt, another job and an unknown map are missing; the others still come', async () => {
  addOutput(0, 10);
  const address = await serve();
  const segments = [wantedOf(0, 1), wantedOf(7), wantedOf(0)];
  const results = await collect(fetchSegments(plan({ address, segments })));
  expect(results.map((result) => result.kind)).toEqual(['missing', 'missing', 'held']);
  const other = await collect(
    fetchSegments({
      ...plan({ address, segments: [wantedOf(0)], ticket: tickets.issuer.ticketOf(toJobId('other')) }),
      jobId: toJobId('other'),
    }),
  );
  expect(other.map((result) => result.kind)).toEqual(['missing']);
});

test('a byte changed on the disk breaks the segment, naming the map; so does a torn file', async () => {
  addOutput(0, 1_000);
  addOutput(1, 1_000);
  const flipped = readFileSync(join(folder, 'm0.run'));
  flipped[500]! ^= 1;
  writeFileSync(join(folder, 'm0.run'), flipped);
  truncateSync(join(folder, 'm1.run'), 600);
  const results = await collect(
    fetchSegments(plan({ address: await serve(), segments: [wantedOf(0), wantedOf(1)] })),
  );
  expect(results).toMatchObject([{ kind: 'broken' }, { kind: 'broken' }]);
  expect((results[0] as { detail: string }).detail).toMatch(/map m0.*crc32/);
});

/** A server that answers with bytes of the test's own. */
function answering(write: (call: ServerWritableStream<unknown, unknown>) => void): Promise<string> {
  return serve(((call: ServerWritableStream<unknown, unknown>) => write(call)) as never);
}

test('a stream that ends without its end mark is broken, however cleanly it ended', async () => {
  const address = await answering((call) => call.end());
  await expect(collect(fetchSegments(plan({ address, segments: [wantedOf(0)] })))).rejects.toMatchObject({
    code: 'unavailable',
  });
});

test('a stream cut in the middle of a segment keeps the segments before it', async () => {
  const first = addOutput(0, 2_000);
  const whole = readFileSync(join(folder, 'm0.run'));
  const run = outputs.find(jobId, 0, 0, 1)!;
  const { offset, ...counts } = run.segment(1);
  const address = await answering((call) => {
    const frame = Buffer.alloc(10_000);
    let at = writeFrameHeader(frame, 0, { kind: 'segment', segment: wantedOf(0), counts });
    at += whole.copy(frame, at, offset, offset + counts.bytes);
    at = writeFrameHeader(frame, at, { kind: 'segment', segment: wantedOf(1), counts });
    call.write(frame.subarray(0, at + 100));
    call.end();
  });
  const results: Fetched[] = [];
  const fetching = (async () => {
    for await (const result of fetchSegments(plan({ address, segments: [wantedOf(0), wantedOf(1)] })))
      results.push(result);
  })();
  await expect(fetching).rejects.toMatchObject({ code: 'unavailable' });
  expect(results).toHaveLength(1);
  expect(bytesOf(results[0]).equals(first)).toBe(true);
});

test('a peer that sends another map than was asked for is not believed', async () => {
  const address = await answering((call) => {
    const frame = Buffer.alloc(frameHeaderBytes);
    writeFrameHeader(frame, 0, {
      kind: 'segment',
      segment: wantedOf(9),
      counts: { records: 0, bytes: 0, crc32: 0 },
    });
    call.write(frame);
    call.end();
  });
  await expect(collect(fetchSegments(plan({ address, segments: [wantedOf(0)] })))).rejects.toThrow(/map 9/);
});

test('a peer that says nothing for the idle time is given up', async () => {
  const clock = new ManualClock();
  const started = Promise.withResolvers<void>();
  const address = await answering(() => started.resolve());
  const fetching = collect(fetchSegments(plan({ address, segments: [wantedOf(0)], clock })));
  await started.promise;
  clock.advance(5_000);
  await expect(fetching).rejects.toThrow(/nothing came for 5000 ms/);
});

test('nobody listening is unavailable', async () => {
  const address = await serve();
  servers[0]!.forceShutdown();
  await expect(collect(fetchSegments(plan({ address, segments: [wantedOf(0)] })))).rejects.toMatchObject({
    code: 'unavailable',
  });
});

test('a fetch that is aborted frees the server, which waits for no drain', async () => {
  addOutput(0, 50_000_000);
  const started = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<void>();
  const { Fetch } = createShuffleHandlers(outputs, tickets.keys, () => toWorkerId('w1'));
  const address = await serve(((call: ServerWritableStream<unknown, unknown>) => {
    call.on('cancelled', () => ended.resolve());
    (Fetch as (call: unknown) => void)(call);
    started.resolve();
  }) as never);
  const abort = new AbortController();
  const fetching = collect(fetchSegments(plan({ address, segments: [wantedOf(0)], signal: abort.signal })));
  fetching.catch(() => undefined);
  await started.promise;
  abort.abort();
  await expect(fetching).rejects.toMatchObject({ code: 'unavailable' });
  await ended.promise;
});

test('a header that says other counts than the map reported takes no room, and the rest is to be asked for again', async () => {
  addOutput(0, 1_000);
  addOutput(1, 1_000);
  addOutput(2, 1_000);
  const reported = outputs.find(jobId, 0, 0, 1)!.segment(1);
  const isReported = (_: WantedSegment, { bytes }: { bytes: number }) => bytes === reported.bytes;
  const address = await answering((call) => {
    const frame = Buffer.alloc(frameHeaderBytes);
    const counts = { records: 1, bytes: 2 ** 50, crc32: 0 };
    writeFrameHeader(frame, 0, { kind: 'segment', segment: wantedOf(0), counts });
    call.write(frame);
  });
  const segments = [wantedOf(0), wantedOf(1)];
  expect(await collect(fetchSegments(plan({ address, segments, isReported, memoryBytes: 0 })))).toEqual([
    {
      kind: 'broken',
      segment: wantedOf(0),
      detail: 'map m0 came with counts that are not those that the map reported',
    },
  ]);
});

test('a header that makes no sense breaks the segment that it should be of', async () => {
  const address = await answering((call) => call.write(Buffer.alloc(frameHeaderBytes, 0xee)));
  expect(await collect(fetchSegments(plan({ address, segments: [wantedOf(3)] })))).toEqual([
    { kind: 'broken', segment: wantedOf(3), detail: 'map m3 came with a header that makes no sense' },
  ]);
});

test('a file that cannot be read any more breaks its segment, and what was whole before it is held', async () => {
  for (const map of [0, 1, 2]) addOutput(map, 1_000);
  outputs.find(jobId, 1, 0, 1);
  truncateSync(join(folder, 'm1.run'), 600);
  const segments = [wantedOf(0), wantedOf(1), wantedOf(2)];
  const results = await collect(fetchSegments(plan({ address: await serve(), segments })));
  expect(results).toMatchObject([
    { kind: 'held', segment: wantedOf(0) },
    { kind: 'broken', segment: wantedOf(1), detail: expect.stringContaining('the run file ends') },
  ]);
});
