/** A fetch without sockets: the frames of the real server reach the real client late, damaged, or cut off at any byte. */
import { EventEmitter } from 'node:events';
import { status } from '@grpc/grpc-js';
import type { FetchRequest } from '../../proto/gen/millrace/v1/FetchRequest.ts';
import type { ShuffleHandlers } from '../../proto/gen/millrace/v1/Shuffle.ts';
import type { VerifyReply } from '../../proto/gen/millrace/v1/VerifyReply.ts';
import type { VerifyRequest } from '../../proto/gen/millrace/v1/VerifyRequest.ts';
import { loadShuffleService } from '../../proto/load.ts';
import type { PeerChannels } from '../../worker/shuffle/fetch.ts';
import { Connection } from './network.ts';
import type { SimNode } from './schedule.ts';
import type { World } from './world.ts';

const { Fetch: wire, Verify: verifyWire } = loadShuffleService().service;

export function openPeers(world: World, node: SimNode): PeerChannels {
  const get = (address: string) => ({
    fetch: (request: FetchRequest) => new FetchLink(world, node, address, request),
    verify: (request: VerifyRequest, reply: VerifyAnswer) => verify(world, node, address, request, reply),
  });
  return { get, close: () => undefined } as unknown as PeerChannels;
}

type VerifyAnswer = (error: FetchError | null, reply?: VerifyReply) => void;

/** One question, one answer: late, or a broken connection. */
function verify(world: World, node: SimNode, address: string, request: VerifyRequest, answer: VerifyAnswer) {
  const name = address.split(':')[0]!;
  const server = world.servers.get(name);
  const { shuffle } = server ?? {};
  let isOver = false;
  const end: VerifyAnswer = (error, reply) => {
    if (isOver) return;
    isOver = true;
    world.trace(`${node.name} hears from ${name} what is on its disk: ${error?.message ?? 'read'}`);
    answer(error, reply);
  };
  const fail = (code: status, message: string) => end(new FetchError(code, message));
  const call = {
    request: verifyWire.requestDeserialize(verifyWire.requestSerialize(request)),
    cancelled: false,
  };
  if (!server?.node.isAlive || !shuffle) {
    node.after(world.between(1, 200), () => fail(status.UNAVAILABLE, 'nobody listens there'));
  } else {
    const connection = new Connection(world, node, server.node, (side) => {
      if (side === 'client') fail(status.UNAVAILABLE, 'the connection broke');
      else call.cancelled = true;
    });
    connection.send('server', () =>
      shuffle.Verify(call as unknown as Parameters<ShuffleHandlers['Verify']>[0], (error, reply) =>
        connection.send('client', () => {
          if (error) fail(error.code ?? status.UNKNOWN, error.details ?? 'refused');
          else end(null, verifyWire.responseDeserialize(verifyWire.responseSerialize(reply!)));
        }),
      ),
    );
  }
  return { cancel: () => fail(status.CANCELLED, 'cancelled') };
}

class FetchError extends Error {
  readonly code: status;

  constructor(code: status, message: string) {
    super(message);
    this.code = code;
  }
}

class FetchLink implements AsyncIterable<Buffer> {
  readonly #world: World;
  readonly #server = new EventEmitter();
  readonly #connection: Connection | undefined;
  readonly #frames: Buffer[] = [];
  #error: FetchError | undefined;
  #isOver = false;
  #wake: () => void = () => undefined;

  constructor(world: World, node: SimNode, address: string, request: FetchRequest) {
    this.#world = world;
    const name = address.split(':')[0]!;
    const server = world.servers.get(name);
    const { shuffle } = server ?? {};
    world.trace(
      `${node.name} fetches from ${name} r${request.reduce} ${request.segments?.map(({ map }) => map)}`,
    );
    if (!server?.node.isAlive || !shuffle) {
      node.after(world.between(1, 200), () => this.#fail(status.UNAVAILABLE, 'nobody listens there'));
      return;
    }
    this.#connection = new Connection(world, node, server.node, (side) => {
      if (side === 'client') this.#fail(status.UNAVAILABLE, 'the connection broke');
      else this.#server.emit('cancelled');
    });
    const bytes = wire.requestSerialize(request);
    const served = world.checker.serves(name, request);
    const call = Object.assign(this.#server, {
      request: wire.requestDeserialize(bytes),
      write: (frame: Buffer) => {
        served.take(frame);
        return this.#write(frame);
      },
      end: () => this.#connection?.send('client', () => this.#end()),
    }) as unknown as Parameters<ShuffleHandlers['Fetch']>[0];
    this.#server.on('error', (error: { code: status; details?: string }) =>
      this.#connection?.send('client', () => this.#fail(error.code, error.details ?? 'refused')),
    );
    this.#connection.send('server', () => {
      served.begin();
      shuffle.Fetch(call);
    });
  }

  cancel(): void {
    this.#fail(status.CANCELLED, 'cancelled');
    this.#connection?.send('server', () => this.#server.emit('cancelled'));
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer> {
    for (;;) {
      const frame = this.#frames.shift();
      if (frame) yield frame;
      else if (this.#error) throw this.#error;
      else if (this.#isOver) return;
      else await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  /** Never full: back-pressure is for the tests of the real server. */
  #write(frame: Buffer): boolean {
    const { faults, random } = this.#world;
    let bytes = Buffer.from(frame);
    if (faults.strikes('fetch byte flipped')) {
      const at = random.below(bytes.length);
      bytes[at] = bytes[at]! ^ (1 << random.below(8));
    }
    const isCut = faults.strikes('fetch cut');
    if (isCut) bytes = bytes.subarray(0, random.below(bytes.length));
    this.#connection?.send('client', () => {
      if (this.#isOver) return;
      this.#frames.push(bytes);
      this.#wake();
    });
    // Half of the cut streams look as if they had come to their end.
    if (isCut && random.chance(0.5)) this.#connection?.send('client', () => this.#end());
    else if (isCut) this.#connection?.breakUp();
    return true;
  }

  #end(): void {
    this.#isOver = true;
    this.#wake();
  }

  #fail(code: status, message: string): void {
    if (this.#isOver) return;
    this.#error = new FetchError(code, message);
    this.#end();
  }
}
