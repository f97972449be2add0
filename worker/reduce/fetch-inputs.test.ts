import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Server, ServerCredentials, status } from '@grpc/grpc-js';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { ManualClock } from '../../lib/clock.ts';
import { writePairHeader } from '../../lib/codec/pair.ts';
import { type AttemptId, toJobId, toWorkerId, type WorkerId } from '../../lib/ids.ts';
import { limits } from '../../lib/limits.ts';
import { copiesFolder } from '../../lib/map-copy.ts';
import type { FetchTrouble } from '../../lib/reports.ts';
import { credentialsToWorker, noCredentials } from '../../lib/security/credentials.ts';
import { segmentDigest } from '../../lib/segment-digest.ts';
import { createStores } from '../../lib/store/resolve.ts';
import { fileUri } from '../../lib/store/uri.ts';
import { loadShuffleService } from '../../proto/load.ts';
import { makeTickets } from '../../test/tickets.ts';
import { PeerChannels } from '../shuffle/fetch.ts';
import { frameHeaderBytes } from '../shuffle/fetch-frames.ts';
import { MapOutputs } from '../shuffle/outputs.ts';
import { readCopiedSegment } from '../shuffle/read-copy.ts';
import { RunWriter } from '../shuffle/run-file.ts';
import { SegmentStore } from '../shuffle/segment-store.ts';
import { createShuffleHandlers } from '../shuffle/serve.ts';
import { writeCopy } from '../shuffle/write-copy.ts';
import { TaskFailure } from '../user/task-failure.ts';
import { FetchInputs, type SegmentLocation } from './fetch-inputs.ts';

const jobId = toJobId('job');
const self = toWorkerId('self');
const peer = toWorkerId('peer');
const attempt: AttemptId = { jobId, kind: 'reduce', index: 0, attempt: 0, epoch: 1 };

let folder: string;
let disks: Map<WorkerId, MapOutputs>;
let addresses: Map<WorkerId, string>;
let servers: Map<WorkerId, Server>;
let channels: PeerChannels;
let clock: ManualClock;
let isJoined: boolean;
let tickets: ReturnType<typeof makeTickets>;
let ticket: string;
let held: number[];
let troubles: FetchTrouble[];
let onTrouble: (trouble: FetchTrouble) => unknown;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-inputs-'));
  disks = new Map([self, peer].map((worker) => [worker, new MapOutputs()]));
  addresses = new Map();
  servers = new Map();
  channels = new PeerChannels(credentialsToWorker(noCredentials));
  clock = new ManualClock();
  tickets = makeTickets(clock);
  isJoined = true;
  ticket = tickets.issuer.ticketOf(jobId);
  held = [];
  troubles = [];
  onTrouble = () => undefined;
  await serve(peer);
});
afterEach(() => {
  channels.close();
  for (const disk of disks.values()) disk.removeAll();
  for (const server of servers.values()) server.forceShutdown();
  rmSync(folder, { recursive: true });
});

/** With `damage` each frame on its way to a reader goes through it. */
async function serve(worker: WorkerId, damage?: (frame: Buffer) => void): Promise<void> {
  const server = new Server();
  const handlers = createShuffleHandlers(disks.get(worker)!, tickets.keys, () => worker);
  const { Fetch } = handlers;
  handlers.Fetch = (call) => {
    const write = call.write.bind(call);
    call.write = ((frame: Buffer) => {
      damage?.(frame);
      return write(frame as never);
    }) as typeof call.write;
    Fetch(call);
  };
  server.addService(loadShuffleService().service, handlers);
  servers.get(worker)?.forceShutdown();
  servers.set(worker, server);
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    ),
  );
  addresses.set(worker, `127.0.0.1:${port}`);
}

/** Of a segment of `output` in a frame. */
const segmentFrameBytes = frameHeaderBytes + 4;

/** A map output with one pair, on the disk of `worker`; returns where it is. */
function output(map: number, worker: WorkerId, mapAttempt = 0): SegmentLocation {
  const pair = Buffer.alloc(16);
  const keyStart = writePairHeader(pair, 0, 1, 1);
  pair.write('kv', keyStart);
  const path = join(folder, `${worker}-m${map}.${mapAttempt}`);
  const writer = new RunWriter(path, 1);
  writer.append(0, pair, 0, keyStart + 2);
  const { segments } = writer.finish();
  disks.get(worker)!.add({ jobId, kind: 'map', index: map, attempt: mapAttempt, epoch: 1 }, path);
  return { map, attempt: mapAttempt, epoch: 1, worker, digest: segmentDigest(segments[0]!) };
}

const stores = createStores();

function specOf() {
  return { bundle: { uri: fileUri(join(folder, 'job', 'bundle.mjs')), sha256: '', bytes: 0 } };
}

/** The same output, from its copy in the store. */
async function copied(location: SegmentLocation): Promise<SegmentLocation> {
  const { map, attempt: mapAttempt, epoch, worker } = location;
  const run = disks.get(worker!)!.find(jobId, map, mapAttempt, epoch)!;
  const { offset, ...segment } = run.segment(0);
  const sums = { inputRecords: 1, inputBytes: 1, spills: 0, spillBytes: 0 };
  const report = { ...sums, segments: [segment], part: undefined };
  const id: AttemptId = { jobId, kind: 'map', index: map, attempt: mapAttempt, epoch };
  const copy = { attempt: id, worker: worker!, report, counters: {} };
  await writeCopy({ stores, spec: specOf(), path: run.path, copy, signal: new AbortController().signal });
  return { ...location, worker: undefined };
}

function start(maps: number): FetchInputs {
  return new FetchInputs({
    attempt,
    maps,
    reducers: 1,
    self,
    outputs: disks.get(self)!,
    channels,
    store: new SegmentStore(join(folder, 'fetched'), 1e6),
    clock,
    ticket: () => ticket,
    isJoined: () => isJoined,
    addressOf: (worker) => addresses.get(worker),
    readCopy: (wanted) => {
      const segments = new SegmentStore(join(folder, 'copied'), 1e6);
      return readCopiedSegment({ ...wanted, stores, spec: specOf(), segments });
    },
    onHeld: (map) => held.push(map),
    onTrouble: (trouble) => {
      troubles.push(trouble);
      onTrouble(trouble);
    },
  });
}

test('segments from peers and from the own disk complete in map order, whatever order they came in', async () => {
  const inputs = start(4);
  inputs.found([output(3, peer), output(1, self)]);
  inputs.found([output(0, peer)]);
  inputs.found([output(2, self)]);
  const sources = await inputs.complete;
  expect(sources.map((source) => source.name)).toEqual([
    'map m0.0 from peer',
    'map m1.0 on self',
    'map m2.0 on self',
    'map m3.0 from peer',
  ]);
  expect(held.sort()).toEqual([0, 1, 2, 3]);
});

test('with no maps at all it is complete at once', async () => {
  expect(await start(0).complete).toEqual([]);
});

test('an output that is not there is reported missing, and its next location is taken', async () => {
  const inputs = start(1);
  const gone = { ...output(0, peer), attempt: 7 };
  const moved = output(0, self, 1);
  onTrouble = () => inputs.found([moved]);
  inputs.found([gone]);
  await inputs.complete;
  expect(troubles).toMatchObject([{ map: 0, mapAttempt: 7, worker: peer, cause: 'missing' }]);
});

test('an index that is not what the map reported is corrupt at once, never taken', async () => {
  const inputs = start(1);
  const right = output(0, peer);
  onTrouble = () => inputs.found([right]);
  inputs.found([{ ...right, digest: right.digest ^ 1 }]);
  await inputs.complete;
  const detail = 'on the disk of peer: its index is not what the map reported';
  expect(troubles).toMatchObject([{ map: 0, cause: 'corrupt', detail }]);
});

/** One bit of the pair of a map output on a disk. */
function flipOnDisk({ map, attempt, worker }: SegmentLocation): void {
  const path = join(folder, `${worker}-m${map}.${attempt}`);
  const bytes = readFileSync(path);
  bytes[9]! ^= 1;
  writeFileSync(path, bytes);
}

test('a bit that changed on the disk of a peer condemns that output at once, with both checksums', async () => {
  const inputs = start(1);
  const broken = output(0, peer);
  flipOnDisk(broken);
  const elsewhere = output(0, self, 1);
  onTrouble = () => inputs.found([elsewhere]);
  inputs.found([broken]);
  await inputs.complete;
  expect(troubles).toHaveLength(1);
  expect(troubles[0]).toMatchObject({ map: 0, mapAttempt: 0, worker: peer, cause: 'corrupt' });
  expect(troubles[0]!.detail).toMatch(
    /^on the disk of peer: it has crc32 [0-9a-f]{8}, the map wrote [0-9a-f]{8}$/,
  );
});

test.skipIf(process.platform !== 'linux')(
  'a file that the disk of a peer cannot read any more (EIO) condemns that output at once, and the others still come',
  async () => {
    const inputs = start(3);
    const [before, broken, after] = [output(0, peer), output(1, peer), output(2, peer)];
    // Its index was read when the disk was well. No process has memory at 0, so reading there is an EIO of the kernel.
    disks.get(peer)!.find(jobId, 1, 0, 1);
    const path = join(folder, 'peer-m1.0');
    rmSync(path);
    symlinkSync('/proc/self/mem', path);
    const elsewhere = output(1, self, 1);
    onTrouble = () => inputs.found([elsewhere]);
    inputs.found([before, broken, after]);
    const sources = await inputs.complete;
    const detail = 'on the disk of peer: it cannot be read: EIO: i/o error, read';
    expect(troubles).toMatchObject([{ map: 1, worker: peer, cause: 'corrupt', detail }]);
    expect(sources.map(({ name }) => name)).toEqual([
      'map m0.0 from peer',
      'map m1.1 on self',
      'map m2.0 from peer',
    ]);
  },
);

test('an index that changed on the own disk condemns that output at once', async () => {
  const inputs = start(1);
  const here = output(0, self);
  onTrouble = () => inputs.found([here]);
  inputs.found([{ ...here, digest: here.digest ^ 1 }]);
  await inputs.complete;
  expect(troubles).toMatchObject([
    { cause: 'corrupt', detail: 'on the disk of self: its index is not what the map reported' },
  ]);
});

/** The pauses between fetches take no time; nothing is given up for being slow. */
async function untilComplete(inputs: FetchInputs) {
  const after = clock.after.bind(clock);
  vi.spyOn(clock, 'after').mockImplementation((ms, run) => after(ms <= 5_000 ? 0 : ms, run));
  const unstick = setInterval(() => clock.advance(0), 1);
  return await inputs.complete.finally(() => clearInterval(unstick));
}

test.each([
  ['in its bytes', frameHeaderBytes + 1],
  ['in the count of its bytes', 24 + 6],
  ['in its crc32', 32],
  ['in the kind of its header', 0],
])(
  'what is whole on its disk and is damaged on the way, %s, is fetched again and not condemned',
  async (_, at) => {
    let damages = 3;
    await serve(peer, (frame) => {
      if (damages-- > 0) frame[at]! ^= 2;
    });
    const inputs = start(1);
    inputs.found([output(0, peer)]);
    const [source] = await untilComplete(inputs);
    expect(source!.name).toBe('map m0.0 from peer');
    expect(troubles.map(({ cause }) => cause)).toEqual(new Array(3).fill('damaged-in-transit'));
    expect(troubles[0]!.detail).toMatch(/; on the disk of peer it is whole: crc32 [0-9a-f]{8} lies there$/);
  },
);

test('what never comes whole is given up after so many times, and its next location is taken', async () => {
  await serve(peer, (frame) => {
    frame[frameHeaderBytes]! ^= 1;
  });
  const inputs = start(1);
  const elsewhere = output(0, self, 1);
  onTrouble = ({ cause }) => cause === 'undeliverable' && inputs.found([elsewhere]);
  inputs.found([output(0, peer)]);
  await untilComplete(inputs);
  expect(troubles.map(({ cause }) => cause)).toEqual([
    ...new Array(limits.damagedFetchesMax - 1).fill('damaged-in-transit'),
    'undeliverable',
  ]);
  const pauses = vi
    .mocked(clock.after)
    .mock.calls.map(([ms]) => ms)
    .filter((ms) => ms <= 5_000);
  expect(pauses).toEqual([200, 500, 1_000, 2_000, 5_000]);
});

test('of a peer that does not say what is on its disk the second damage condemns', async () => {
  let damages = 0;
  await serve(peer, (frame) => {
    damages++;
    frame[frameHeaderBytes]! ^= 1;
  });
  const client = channels.get(addresses.get(peer)!);
  client.verify = ((_: unknown, reply: (error: Error) => void) => {
    setImmediate(() => reply(new Error('it knows of no such call')));
    return { cancel: () => undefined };
  }) as never;
  const inputs = start(1);
  const elsewhere = output(0, self, 1);
  onTrouble = () => inputs.found([elsewhere]);
  inputs.found([output(0, peer)]);
  await untilComplete(inputs);
  expect(troubles).toMatchObject([{ cause: 'corrupt', detail: expect.stringContaining('no such call') }]);
  expect(damages).toBe(2);
});

test('a peer that has too much to verify is not condemned for that: what comes damaged is fetched again', async () => {
  let damages = 0;
  await serve(peer, (frame) => {
    if (++damages <= 3) frame[frameHeaderBytes]! ^= 1;
  });
  const client = channels.get(addresses.get(peer)!);
  client.verify = ((_: unknown, reply: (error: Error) => void) => {
    setImmediate(() =>
      reply(Object.assign(new Error('ask again later'), { code: status.RESOURCE_EXHAUSTED })),
    );
    return { cancel: () => undefined };
  }) as never;
  const inputs = start(1);
  inputs.found([output(0, peer)]);
  const [source] = await untilComplete(inputs);
  expect(source!.name).toBe('map m0.0 from peer');
  expect(troubles).toEqual(
    new Array(3).fill(
      expect.objectContaining({
        cause: 'damaged-in-transit',
        detail: expect.stringMatching(/peer has no time to look at its disk: ask again later/),
      }),
    ),
  );
});

test('an output that its peer has dropped when it is asked about it is reported missing', async () => {
  await serve(peer, (frame) => {
    frame[frameHeaderBytes]! ^= 1;
    disks.get(peer)!.removeAll();
  });
  const inputs = start(1);
  const elsewhere = output(0, self, 1);
  onTrouble = () => inputs.found([elsewhere]);
  inputs.found([output(0, peer)]);
  await inputs.complete;
  expect(troubles).toMatchObject([{ cause: 'missing', detail: 'the worker does not have it' }]);
});

test('a peer that does not answer is asked about one of all that came broken, for a limited time', async () => {
  let isDamaging = true;
  await serve(peer, (frame) => {
    for (const at of [0, 1]) if (isDamaging) frame[frameHeaderBytes + at * segmentFrameBytes]! ^= 1;
  });
  const cancelled = vi.fn();
  const client = channels.get(addresses.get(peer)!);
  const verify = vi.fn((_: unknown, reply: (error: Error) => void) => ({
    cancel() {
      cancelled();
      reply(new Error('cancelled'));
    },
  }));
  client.verify = verify as never;
  const inputs = start(2);
  inputs.found([output(0, peer), output(1, peer)]);
  await vi.waitFor(() => expect(verify).toHaveBeenCalledTimes(1));
  isDamaging = false;
  clock.advance(limits.verificationMsMax - 1);
  expect(cancelled).not.toHaveBeenCalled();
  clock.advance(1);
  expect(cancelled).toHaveBeenCalledTimes(1);
  await inputs.complete;
  expect(verify).toHaveBeenCalledTimes(1);
  expect(troubles).toEqual([]);
});

test('a dead peer is reported after a few tries; when its output is lost it is asked no more, and what is held stays held', async () => {
  const inputs = start(2);
  inputs.found([output(0, self)]);
  servers.get(peer)!.forceShutdown();
  const reported = Promise.withResolvers<void>();
  onTrouble = () => reported.resolve();
  const unstick = setInterval(() => clock.advance(5_000), 5);
  try {
    inputs.found([output(1, peer)]);
    await reported.promise;
  } finally {
    clearInterval(unstick);
  }
  expect(troubles[0]).toMatchObject({ map: 1, worker: peer, cause: 'unreachable' });
  inputs.lost([0, 1]);
  inputs.found([output(1, self, 1)]);
  clock.advance(5_000);
  const sources = await inputs.complete;
  expect(sources.map((source) => source.name)).toEqual(['map m0.0 on self', 'map m1.1 on self']);
});

test('a peer that goes on refusing ends the attempt, which names the peer, its address and the reason', async () => {
  ticket = makeTickets(clock).issuer.ticketOf(jobId);
  const inputs = start(1);
  inputs.found([output(0, peer)]);
  const unstick = setInterval(() => clock.advance(5_000), 5);
  const failure = await inputs.complete.catch((error) => error).finally(() => clearInterval(unstick));
  expect(failure).toBeInstanceOf(TaskFailure);
  expect(failure.failure).toEqual({
    kind: 'fetch-refused',
    worker: peer,
    message: expect.stringMatching(
      /^peer at 127.0.0.1:\d+ refuses to serve.*to self: .*not signed by a coordinator/,
    ),
  });
  expect(troubles).toEqual([]);
});

test('a peer that refuses until it has heard of a new coordinator serves in the end', async () => {
  const restarted = makeTickets(clock).issuer;
  ticket = restarted.ticketOf(jobId);
  const inputs = start(1);
  inputs.found([output(0, peer)]);
  const pauses = vi.spyOn(clock, 'after');
  const unstick = setInterval(() => {
    const wasRefused = pauses.mock.calls.some(([delayMs]) => delayMs === 200);
    if (wasRefused) tickets.keys.add(restarted.key);
    clock.advance(200);
  }, 5);
  const sources = await inputs.complete.finally(() => clearInterval(unstick));
  expect(pauses).toHaveBeenCalledWith(200, expect.anything());
  expect(sources).toHaveLength(1);
});

test('without a coordinator, and whenever there is a new ticket, it goes on asking a peer that refuses', async () => {
  const restarted = makeTickets(clock).issuer;
  ticket = makeTickets(clock).issuer.ticketOf(jobId);
  isJoined = false;
  const inputs = start(1);
  inputs.found([output(0, peer)]);
  const pauses = vi.spyOn(clock, 'after');
  let refusals = 0;
  const unstick = setInterval(() => {
    const seen = pauses.mock.calls.filter(([delayMs]) => delayMs >= 200 && delayMs <= 5_000).length;
    if (seen === refusals) return;
    refusals = seen;
    // For a minute there is no coordinator; when it is back its ticket comes a little later, and the peer hears of it last.
    if (refusals > 15) isJoined = true;
    if (refusals > 19) ticket = restarted.ticketOf(jobId);
    if (refusals > 23) tickets.keys.add(restarted.key);
    clock.advance(5_000);
  }, 1);
  const sources = await inputs.complete.finally(() => clearInterval(unstick));
  expect(sources).toHaveLength(1);
});

test('cancelling ends it', async () => {
  const inputs = start(1);
  inputs.cancel();
  await expect(inputs.complete).rejects.toMatchObject({ code: 'cancelled' });
});

test('what a lost worker and the own disk had is read from its copy; what is held stays', async () => {
  const inputs = start(3);
  const ofPeer = output(0, peer);
  const own = output(1, self);
  const copies = [await copied(ofPeer), await copied(own)];
  inputs.found([output(2, peer)]);
  await vi.waitFor(() => expect(held).toEqual([2]));
  servers.get(peer)!.forceShutdown();
  disks.get(self)!.removeAll();
  inputs.found([ofPeer, own]);
  await vi.waitFor(() => expect(troubles).toMatchObject([{ map: 1, worker: self, cause: 'missing' }]));
  inputs.found(copies);
  const sources = await inputs.complete;
  expect(sources.map((source) => source.name)).toEqual([
    'the copy of map m0.0',
    'the copy of map m1.0',
    'map m2.0 from peer',
  ]);
});

test('a copy that is gone is reported as that, and its map is taken from where it is made again', async () => {
  const inputs = start(1);
  const copy = await copied(output(0, peer));
  const { store, key } = stores.locate(copiesFolder(specOf()));
  for await (const object of store.list(key)) await store.remove(object.key);
  inputs.found([copy]);
  await vi.waitFor(() => expect(troubles).toMatchObject([{ map: 0, mapAttempt: 0, cause: 'missing' }]));
  expect(troubles[0]!.worker).toBeUndefined();
  inputs.lost([0]);
  inputs.found([output(0, peer, 1)]);
  expect((await inputs.complete).map(({ name }) => name)).toEqual(['map m0.1 from peer']);
});
