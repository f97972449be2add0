/** The HTTP port: whether the process lives and leads. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Address, formatAddress } from '../lib/address.ts';

export interface HttpServer extends AsyncDisposable {
  /** HOST:PORT as bound. */
  readonly address: string;
}

export async function startHttpServer(listen: Address, isReady: () => boolean): Promise<HttpServer> {
  const server = createServer((request, response) => {
    const ready = request.url === '/readyz' ? isReady() : true;
    const known = request.method === 'GET' && (request.url === '/healthz' || request.url === '/readyz');
    response.writeHead(known ? (ready ? 200 : 503) : 404, { 'content-type': 'text/plain' });
    response.end(known ? (ready ? 'ok\n' : 'not ready\n') : 'not found\n');
  });
  await listening(server, listen);
  const { port } = server.address() as AddressInfo;
  return {
    address: formatAddress({ host: listen.host, port }),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function listening(server: Server, listen: Address): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(listen.port, listen.host, resolve);
  });
}
