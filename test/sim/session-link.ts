/** The session stream of a worker without sockets: real messages, encoded and decoded as on the wire, over a connection that breaks. */
import { EventEmitter } from 'node:events';
import { status } from '@grpc/grpc-js';
import type { CoordinatorMessage } from '../../proto/gen/millrace/v1/CoordinatorMessage.ts';
import type {
  WorkerControlClient,
  WorkerControlHandlers,
} from '../../proto/gen/millrace/v1/WorkerControl.ts';
import type { WorkerMessage } from '../../proto/gen/millrace/v1/WorkerMessage.ts';
import { loadWorkerService } from '../../proto/load.ts';
import { Connection } from './network.ts';
import type { SimNode } from './schedule.ts';
import type { World } from './world.ts';

/** A worker gives up a connection that answers no ping for so long: with what it then says next. */
const keepaliveMs = 10_000;
const { Session: wire } = loadWorkerService().service;

type ClientStream = ReturnType<WorkerControlClient['session']>;
type ServerStream = Parameters<WorkerControlHandlers['Session']>[0];

/** What the session of a worker speaks through. */
export function openSessionClient(world: World, node: SimNode, address: string) {
  return {
    session: () => new SessionLink(world, node, address).client as unknown as ClientStream,
    close: () => undefined,
  };
}

class SessionLink {
  readonly client = new EventEmitter();
  readonly #server = new EventEmitter();
  readonly #world: World;
  readonly #node: SimNode;
  readonly #connection: Connection | undefined;
  readonly #serverNode: SimNode | undefined;
  readonly #serverName: string;
  /** Of the coordinator that speaks, once it has said it. */
  #epoch = 0;
  #isClientOver = false;
  #isServerOver = false;

  constructor(world: World, node: SimNode, address: string) {
    this.#world = world;
    this.#node = node;
    this.#serverName = address.split(':')[0]!;
    Object.assign(this.client, {
      write: (message: WorkerMessage) => this.#toServer(message),
      end: () => this.#connection?.send('server', () => this.#server.emit('end')),
      cancel: () => this.#cancel(),
    });
    const server = world.servers.get(this.#serverName);
    const { control } = server ?? {};
    if (!server?.node.isAlive || !control) {
      node.after(world.between(1, 200), () => this.#clientOver(status.UNAVAILABLE, 'nobody listens there'));
      return;
    }
    this.#serverNode = server.node;
    this.#connection = new Connection(world, node, server.node, (side) => {
      if (side === 'client') this.#clientOver(status.UNAVAILABLE, 'the connection broke');
      else this.#serverOver();
    });
    // As a refusal: the status of the call.
    this.#server.on('error', (error: { code: status; details?: string }) =>
      this.#connection?.send('client', () => this.#clientOver(error.code, error.details ?? 'refused')),
    );
    this.#connection.send('server', () => control.Session(this.#serverStream()));
  }

  #serverStream(): ServerStream {
    const isOver = () => this.#isServerOver;
    const stream = {
      get writable() {
        return !isOver();
      },
      get cancelled() {
        return isOver();
      },
      write: (message: CoordinatorMessage) => this.#toClient(message),
      end: () => this.#endByServer(),
      getAuthContext: () => ({}),
    };
    return Object.defineProperties(
      this.#server,
      Object.getOwnPropertyDescriptors(stream),
    ) as unknown as ServerStream;
  }

  #toServer(message: WorkerMessage): void {
    if (this.#isClientOver) return;
    const bytes = wire.requestSerialize(this.#world.mutant?.toCoordinator?.(message) ?? message);
    this.#world.trace(`${this.#node.name} says `, bytes, () => JSON.stringify(message));
    if ((this.#serverNode?.pausedForMs ?? 0) > keepaliveMs) return this.#connection?.breakUp();
    const deliver = () => this.#server.emit('data', wire.requestDeserialize(bytes));
    this.#connection?.send('server', deliver);
    // A hello is the first of its stream; anything else may come again without harm.
    if (!message.hello && this.#world.faults.strikes('message twice'))
      this.#connection?.send('server', deliver);
  }

  #toClient(message: CoordinatorMessage): void {
    const sent = this.#world.mutant?.toWorker?.(message, this.#node.name) ?? message;
    const bytes = wire.responseSerialize(sent);
    this.#world.trace(`${this.#serverName} tells ${this.#node.name} `, bytes, () => JSON.stringify(sent));
    const { checker } = this.#world;
    this.#connection?.send('client', () => {
      const told = wire.responseDeserialize(bytes);
      this.#epoch = message.welcome?.epoch ?? this.#epoch;
      checker.telling(this.#epoch, () => this.client.emit('data', told));
    });
  }

  #endByServer(): void {
    this.#connection?.send('client', () => {
      this.#clientOver(status.OK, 'ended');
      this.#connection?.send('server', () => this.#serverOver());
    });
  }

  #cancel(): void {
    this.#connection?.send('server', () => this.#serverOver());
    this.#node.after(0, () => this.#clientOver(status.CANCELLED, 'cancelled'));
  }

  #clientOver(code: status, details: string): void {
    if (this.#isClientOver) return;
    this.#isClientOver = true;
    this.#world.trace(`${this.#node.name} loses its stream: ${details}`);
    this.client.emit('status', { code, details });
  }

  #serverOver(): void {
    if (this.#isServerOver) return;
    this.#isServerOver = true;
    this.#world.trace(`the stream of ${this.#node.name} is gone`);
    this.#server.emit('close');
  }
}
