/**
 * A TCP proxy before one program. Who dials is asked of `lanesOf`, so that every pair of nodes and each direction can have a fault of its own.
 * It accepts even where packets would be lost: a held connection hangs with its first bytes instead of its handshake.
 */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import type { Lane } from './lane.ts';

export interface Lanes {
  /** From who dials to the program. */
  readonly forth: Lane;
  readonly back: Lane;
}

export interface TcpProxyOptions {
  /** HOST:PORT of the program; undefined while it has none. */
  target(): string | undefined;
  /** Undefined for a caller that is gone, or that nobody knows: it is reset. */
  lanesOf(remotePort: number, localPort: number): Lanes | undefined;
}

export class TcpProxy implements AsyncDisposable {
  readonly #options: TcpProxyOptions;
  readonly #sockets = new Set<Socket>();
  readonly #server = createServer(
    { allowHalfOpen: true, noDelay: true },
    (socket) => void this.#accept(socket),
  );

  private constructor(options: TcpProxyOptions) {
    this.#options = options;
  }

  static async start(options: TcpProxyOptions): Promise<TcpProxy> {
    const proxy = new TcpProxy(options);
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  /** HOST:PORT to dial instead of the program's own. */
  get address(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  async #accept(caller: Socket): Promise<void> {
    this.#keep(caller);
    const lanes = this.#options.lanesOf(caller.remotePort ?? 0, caller.localPort ?? 0);
    if (!lanes || lanes.forth.isCut || lanes.back.isCut) return void caller.resetAndDestroy();
    const { forth, back } = lanes;
    let server: Socket | undefined;
    const reset = () => [caller, server].forEach((socket) => void socket?.resetAndDestroy());
    const forget = [forth.onCut(reset), back.onCut(reset)];
    try {
      while (forth.isHeld || back.isHeld) await Promise.all([forth.untilOpen(), back.untilOpen()]);
      const target = this.#options.target();
      if (caller.destroyed || target === undefined) return void caller.resetAndDestroy();
      const [host, port] = target.split(':') as [string, string];
      server = this.#keep(connect({ host, port: Number(port), allowHalfOpen: true, noDelay: true }));
      await Promise.all([pump(caller, server, forth), pump(server, caller, back)]);
    } finally {
      for (const each of forget) each();
    }
  }

  #keep(socket: Socket): Socket {
    this.#sockets.add(socket);
    // Its reader sees it too; a socket that nobody reads yet must not end the test.
    socket.on('error', () => undefined);
    socket.once('close', () => this.#sockets.delete(socket));
    return socket;
  }
}

/** Bytes, the end and a reset go on as the lane admits them. Never throws. */
async function pump(from: Socket, to: Socket, lane: Lane): Promise<void> {
  try {
    for await (const chunk of from.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      const admitted = await lane.admit(chunk.length);
      if (to.destroyed) return;
      if (!to.write(chunk.subarray(0, admitted))) await Promise.race([once(to, 'drain'), once(to, 'close')]);
      if (admitted < chunk.length) lane.set({ kind: 'cut' });
    }
    await lane.untilOpen();
    to.end();
  } catch {
    await lane.untilOpen();
    to.resetAndDestroy();
  }
}
