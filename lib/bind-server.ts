/** Binds a gRPC server. Whether it may be reachable there is for the caller to check first (security/exposure.ts). */
import { type AddressInfo, createServer, type Server as NetServer, type Socket } from 'node:net';
import type { Server } from '@grpc/grpc-js';
import { type Address, formatAddress } from './address.ts';
import { MillraceError } from './errors.ts';
import { limits } from './limits.ts';
import { serverCredentials, type TlsMaterial } from './security/tls.ts';

export interface BindOptions {
  /** Plain text without an identity in it. */
  readonly tls?: TlsMaterial | undefined;
  /** Open at once; default `limits.grpcConnectionsMax`. The next one is closed as it comes, before a byte of it is read. */
  readonly connectionsMax?: number;
  /** Of a connection too many: HOST:PORT of who made it. */
  readonly onRefused?: (peer: string, why: string) => void;
}

export interface BoundServer {
  /** HOST:PORT as bound. */
  readonly address: string;
  /** Shuts the gRPC server down and ends every connection; resolves when all are gone, and nothing more is heard from them. */
  close(): Promise<void>;
}

/** Throws `unavailable` naming the address when it is taken. */
export async function bindServer(
  server: Server,
  listen: Address,
  { tls, connectionsMax = limits.grpcConnectionsMax, onRefused }: BindOptions = {},
): Promise<BoundServer> {
  // gRPC's own port has no bound.
  const injector = server.createConnectionInjector(serverCredentials(tls));
  const open = new Set<Socket>();
  const port = createServer((connection) => {
    open.add(connection);
    connection.once('close', () => open.delete(connection));
    injector.injectConnection(connection);
  });
  port.maxConnections = connectionsMax;
  port.on('drop', (dropped) => {
    const peer = formatAddress({ host: dropped?.remoteAddress ?? '', port: dropped?.remotePort ?? 0 });
    onRefused?.(peer, `${connectionsMax} connections are open, the limit (grpcConnectionsMax)`);
  });
  await listenOn(port, listen);
  const { port: number } = port.address() as AddressInfo;
  const close = () =>
    new Promise<void>((resolve) => {
      port.close(() => resolve());
      server.tryShutdown(() => undefined);
      // Streams that their peers keep open would hold a polite shutdown for ever.
      setImmediate(() => {
        server.forceShutdown();
        // Whoever never spoke HTTP/2 is unknown to the gRPC server.
        for (const connection of open) connection.destroy();
      });
    });
  return { address: formatAddress({ host: listen.host, port: number }), close };
}

function listenOn(server: NetServer, listen: Address): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', ({ message }) => {
      const address = formatAddress(listen);
      reject(new MillraceError('unavailable', `cannot listen on ${address} (--listen): ${message}`));
    });
    server.listen(listen.port, listen.host, resolve);
  });
}
