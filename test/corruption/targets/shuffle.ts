/** Map output on its way to a reduce: the file on the serving disk, the own disk, and the stream between two workers. */
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Server, type ServerWritableStream } from '@grpc/grpc-js';
import { type BoundServer, bindServer } from '../../../lib/bind-server.ts';
import { type Clock, systemClock } from '../../../lib/clock.ts';
import { type AttemptId, toJobId, toWorkerId } from '../../../lib/ids.ts';
import { credentialsToWorker, noCredentials } from '../../../lib/security/credentials.ts';
import { segmentDigest } from '../../../lib/segment-digest.ts';
import type { ShuffleHandlers } from '../../../proto/gen/millrace/v1/Shuffle.ts';
import { loadShuffleService } from '../../../proto/load.ts';
import { FetchInputs, type SegmentLocation } from '../../../worker/reduce/fetch-inputs.ts';
import { PeerChannels } from '../../../worker/shuffle/fetch.ts';
import { frameHeaderBytes } from '../../../worker/shuffle/fetch-frames.ts';
import { MapOutputs } from '../../../worker/shuffle/outputs.ts';
import { SegmentStore } from '../../../worker/shuffle/segment-store.ts';
import { createShuffleHandlers } from '../../../worker/shuffle/serve.ts';
import type { Random } from '../../core/fake-cluster.ts';
import { makeTickets } from '../../tickets.ts';
import { readPairs, type WrittenRun, writeRun } from '../pairs.ts';
import { Noticed, type TargetKind } from '../target.ts';

const partitions = 3;
const maps = 3;
const jobId = toJobId('job');
const self = toWorkerId('self');
const peer = toWorkerId('peer');
const idOf = (index: number): AttemptId => ({ jobId, kind: 'map', index, attempt: 0, epoch: 1 });

/** Pauses between tries take no time; deadlines do not come. */
const hurriedClock: Clock = {
  ...systemClock,
  after(delayMs, run) {
    if (delayMs > 5_000) return () => undefined;
    const soon = setImmediate(run);
    return () => clearImmediate(soon);
  },
};

/** Three maps of one job, and a reduce that fetches them with the real client, from the real server or its own disk. */
class Shuffle {
  readonly runs: readonly WrittenRun[];
  readonly foreign: readonly WrittenRun[];
  readonly outputs = new MapOutputs();
  readonly #folder: string;
  readonly #server = new Server();
  readonly #tickets = makeTickets();
  readonly #channels = new PeerChannels(credentialsToWorker(noCredentials));
  #bound: BoundServer | undefined;

  constructor(folder: string, random: Random) {
    this.#folder = folder;
    this.runs = Array.from({ length: maps }, (_, map) => writeRun(this.pathOf(map), random, partitions));
    this.foreign = [partitions, 5].map((count, i) => writeRun(join(folder, `foreign-${i}`), random, count));
    for (let map = 0; map < maps; map++) this.outputs.add(idOf(map), this.pathOf(map));
  }

  pathOf(map: number): string {
    return join(this.#folder, `m${map}.run`);
  }

  async serve(change: (handlers: ShuffleHandlers) => ShuffleHandlers = (same) => same): Promise<void> {
    const handlers = change(createShuffleHandlers(this.outputs, this.#tickets.keys, () => peer));
    this.#server.addService(loadShuffleService().service, handlers);
    this.#bound = await bindServer(this.#server, { host: '127.0.0.1', port: 0 });
  }

  /** What the reduces of these partitions would see. Throws {@link Noticed} with the first trouble that is not settled by fetching again. */
  async fetch(from: typeof self, wanted: readonly number[]): Promise<string> {
    const results = await Promise.all(wanted.map((partition) => this.#fetchPartition(from, partition)));
    return results.join('; ');
  }

  async #fetchPartition(worker: typeof self, partition: number): Promise<string> {
    const store = new SegmentStore(join(this.#folder, `fetched-${partition}`), 1e6);
    const troubled = Promise.withResolvers<never>();
    const inputs = new FetchInputs({
      attempt: { jobId, kind: 'reduce', index: partition, attempt: 0, epoch: 1 },
      ...{ maps, reducers: partitions, self, outputs: this.outputs, store },
      channels: this.#channels,
      clock: hurriedClock,
      ticket: () => this.#tickets.issuer.ticketOf(jobId),
      isJoined: () => true,
      addressOf: () => this.#bound?.address,
      readCopy: () => Promise.reject(new Error('no segment is read from a copy here')),
      onHeld: () => undefined,
      onTrouble: ({ cause }) => {
        if (!isSettledByFetching.has(cause)) troubled.reject(new Noticed(`reported ${cause}`));
      },
    });
    try {
      inputs.found(this.runs.map((run, map) => this.#locate(run, map, worker, partition)));
      return readPairs(await Promise.race([inputs.complete, troubled.promise]));
    } finally {
      inputs.cancel();
      troubled.promise.catch(() => undefined);
      await store.discard();
    }
  }

  #locate({ segments }: WrittenRun, map: number, worker: typeof self, partition: number): SegmentLocation {
    return { map, attempt: 0, epoch: 1, worker, digest: segmentDigest(segments[partition]!) };
  }

  async close(): Promise<void> {
    this.#channels.close();
    await this.#bound?.close();
    this.outputs.removeAll();
  }
}

/** After these the reduce asks the same worker again. */
const isSettledByFetching: ReadonlySet<string> = new Set(['damaged-in-transit']);

const all = Array.from({ length: partitions }, (_, partition) => partition);

export const ownDisk: TargetKind = {
  name: 'map output on the own disk',
  share: 2,
  make(folder, random) {
    const shuffle = new Shuffle(folder, random);
    return {
      ...specimenOf(shuffle),
      async read(bytes) {
        writeFileSync(shuffle.pathOf(1), bytes);
        // As after a restart: the index is read anew.
        shuffle.outputs.add(idOf(1), shuffle.pathOf(1));
        return shuffle.fetch(self, all);
      },
      close: () => shuffle.close(),
    };
  },
};

export const servedDisk: TargetKind = {
  name: 'map output on the disk of a peer',
  share: 1.5,
  async make(folder, random) {
    const shuffle = new Shuffle(folder, random);
    await shuffle.serve();
    let reads = 0;
    return {
      ...specimenOf(shuffle),
      async read(bytes) {
        writeFileSync(shuffle.pathOf(1), bytes);
        // Every second time the index is in memory and only the disk has changed.
        if (reads++ % 2 === 0) shuffle.outputs.add(idOf(1), shuffle.pathOf(1));
        try {
          return await shuffle.fetch(peer, all);
        } finally {
          writeFileSync(shuffle.pathOf(1), shuffle.runs[1]!.bytes);
          if (reads % 2 === 0) shuffle.outputs.add(idOf(1), shuffle.pathOf(1));
        }
      },
      close: () => shuffle.close(),
    };
  },
};

function specimenOf({ runs, foreign }: Shuffle) {
  const others = [runs[0]!, ...foreign].map(({ bytes }) => bytes);
  return { whole: runs[1]!.bytes, boundaries: runs[1]!.boundaries, others };
}

/** The stream of one partition is damaged the first time; asked again, the peer sends what is right. */
export const stream: TargetKind = {
  name: 'stream between workers',
  share: 2,
  async make(folder, random) {
    const shuffle = new Shuffle(folder, random);
    const recorded: Buffer[] = [];
    let sent: Buffer | undefined;
    let streamsAsked = 0;
    const pieces = random;
    await shuffle.serve((handlers) => ({
      ...handlers,
      Fetch(call) {
        streamsAsked++;
        const real = call as ServerWritableStream<unknown, Buffer>;
        if (!sent) return handlers.Fetch(recording(real, recorded) as unknown as typeof call);
        const damaged = sent;
        sent = undefined;
        void sendInPieces(real, damaged, pieces);
      },
    }));
    const streams: Buffer[] = [];
    const right: string[] = [];
    for (const partition of all) {
      recorded.length = 0;
      right.push(await shuffle.fetch(peer, [partition]));
      streams.push(Buffer.concat(recorded));
    }
    const boundaries = shuffle.runs.flatMap(({ segments }) => [frameHeaderBytes, segments[0]!.bytes]);
    boundaries.push(frameHeaderBytes);
    for (let i = 1; i < boundaries.length; i++) boundaries[i]! += boundaries[i - 1]!;
    return {
      whole: streams[0]!,
      boundaries,
      others: streams.slice(1),
      async read(bytes) {
        sent = bytes;
        streamsAsked = 0;
        const found = await shuffle.fetch(peer, [0]);
        if (streamsAsked > 1 && found === right[0]) throw new Noticed('fetched again, then right');
        return found;
      },
      close: () => shuffle.close(),
    };
  },
};

function recording(call: ServerWritableStream<unknown, Buffer>, frames: Buffer[]) {
  return new Proxy(call, {
    get(target, name) {
      if (name === 'write') {
        return (frame: Buffer) => {
          frames.push(frame);
          return target.write(frame);
        };
      }
      const value = Reflect.get(target, name) as unknown;
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

/** Cut into frames anywhere but inside a header only by chance: a damaged stream keeps no rules. */
async function sendInPieces(call: ServerWritableStream<unknown, Buffer>, bytes: Buffer, random: Random) {
  for (let at = 0; at < bytes.length; ) {
    const end = random.chance(0.8) ? bytes.length : at + 1 + random.below(bytes.length - at);
    if (!call.write(bytes.subarray(at, end)) && !call.cancelled) await once(call, 'drain');
    at = end;
  }
  call.end();
}
