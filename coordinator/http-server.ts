/** The HTTP port: a few fixed paths, read only. Who may see what is asked of the guard; TLS when the guard has a certificate. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { type Address, formatAddress } from '../lib/address.ts';
import { MillraceError } from '../lib/errors.ts';
import { limits } from '../lib/limits.ts';
import type { Log } from '../lib/log.ts';
import type { Guard } from '../lib/security/guard.ts';

export interface HttpAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

export interface HttpRoute {
  /** For probes, which have no credentials: it must tell nothing that needs any. */
  readonly isOpen: boolean;
  answer(): HttpAnswer | Promise<HttpAnswer>;
}

export interface HttpServerOptions {
  readonly listen: Address;
  readonly guard: Guard;
  readonly log: Log;
  /** By path, such as `/healthz`. */
  readonly routes: Readonly<Record<string, HttpRoute>>;
}

export interface HttpServer extends AsyncDisposable {
  /** HOST:PORT as bound. */
  readonly address: string;
}

export function textAnswer(status: number, text: string): HttpAnswer {
  return { status, contentType: 'text/plain; charset=utf-8', body: `${text}\n` };
}

/** Throws `unavailable` naming the address when it cannot be bound. */
export async function startHttpServer(options: HttpServerOptions): Promise<HttpServer> {
  const { listen, guard, log } = options;
  const handle = (request: IncomingMessage, response: ServerResponse) => {
    // Nobody sends us a body; one that comes is thrown away.
    request.resume();
    respond(request, response, options).catch((error) => {
      log.error({ error: String(error), path: request.url }, 'an HTTP request failed');
      response.destroy();
    });
  };
  const httpsOptions = guard.httpsOptions();
  const bounds = { maxHeaderSize: limits.httpHeaderBytesMax, connectionsCheckingInterval: 5_000 };
  const server: Server = httpsOptions
    ? createTlsServer({ ...bounds, ...httpsOptions, handshakeTimeout: limits.httpRequestMsMax }, handle)
    : createServer(bounds, handle);
  server.requestTimeout = limits.httpRequestMsMax;
  server.headersTimeout = limits.httpRequestMsMax;
  server.keepAliveTimeout = limits.httpRequestMsMax;
  server.maxConnections = limits.httpConnectionsMax;
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

async function respond(
  request: IncomingMessage,
  response: ServerResponse,
  options: HttpServerOptions,
): Promise<void> {
  const { status, contentType, body, ...more } = await answerTo(request, options);
  const bytes = Buffer.from(body);
  response.writeHead(status, {
    'content-type': contentType,
    'content-length': bytes.length,
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    ...more.headers,
  });
  response.end(request.method === 'HEAD' ? undefined : bytes);
}

async function answerTo(
  request: IncomingMessage,
  { routes, guard, log }: HttpServerOptions,
): Promise<HttpAnswer & { readonly headers?: Record<string, string> }> {
  const [path = ''] = (request.url ?? '').split('?');
  const route = Object.hasOwn(routes, path) ? routes[path] : undefined;
  // Before anything is said of what there is: without credentials an unknown path looks like a known one.
  if (!route?.isOpen && guard.authorizeHttp(request) === undefined) {
    const why = 'credentials are needed: a client certificate, or the header authorization: Bearer TOKEN';
    return { ...textAnswer(401, why), headers: { 'www-authenticate': 'Bearer' } };
  }
  if (!route) return textAnswer(404, 'not found');
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    return { ...textAnswer(405, 'only GET and HEAD'), headers: { allow: 'GET, HEAD' } };
  }
  try {
    return await route.answer();
  } catch (error) {
    log.error({ error: String(error), path }, 'an HTTP request failed');
    return textAnswer(500, 'it failed; the log of the coordinator says why');
  }
}

function listening(server: Server, listen: Address): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => {
      const message = `cannot listen on ${formatAddress(listen)} (--http): ${error.message}`;
      reject(new MillraceError('unavailable', message, { cause: error }));
    });
    server.listen(listen.port, listen.host, resolve);
  });
}
