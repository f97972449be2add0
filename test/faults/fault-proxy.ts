/**
 * An HTTP proxy before a real MinIO that does to chosen requests what networks and overloaded stores do. What nobody chose a fault
 * for passes as it is, `Host` included, which is part of the signature.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse, request as sendRequest } from 'node:http';
import type { AddressInfo } from 'node:net';
import { collectBytes } from '../../lib/iterables.ts';

export type Fault =
  /** Answers by itself: MinIO never sees the request. `code` as in the XML of an S3 error. */
  | { readonly kind: 'answer'; readonly status: number; readonly code: string }
  /** MinIO carries it out, and the connection is reset before the first byte of the answer. */
  | { readonly kind: 'lose-answer' }
  /** MinIO carries it out, and nothing more is heard on the connection. */
  | { readonly kind: 'keep-answer' }
  /** The connection is closed after so many bytes of the body, all of which arrive. */
  | { readonly kind: 'cut-body'; readonly afterBytes: number }
  /** The connection is reset after so many bytes of the body; what is on its way is lost. */
  | { readonly kind: 'reset-body'; readonly afterBytes: number }
  /** The body of the answer stops after so many bytes, and the connection stays open. */
  | { readonly kind: 'stall-body'; readonly afterBytes: number }
  /** Something happens before the request goes on. */
  | { readonly kind: 'first'; readonly run: () => Promise<void> };

export interface ProxiedRequest {
  /** As S3 calls it: `GetObject`, `CompleteMultipartUpload`. */
  readonly operation: string;
  /** `/bucket/key`, as it was sent. */
  readonly path: string;
  readonly range: string | undefined;
}

interface Rule {
  readonly operation: string;
  readonly fault: Fault;
  /** What their paths have in them. */
  readonly under: string;
  /** Requests of this operation to let pass first. */
  skip: number;
  times: number;
}

export class FaultProxy implements AsyncDisposable {
  /** Of all requests, in the order they came. */
  readonly requests: ProxiedRequest[] = [];
  readonly #upstream: URL;
  readonly #rules: Rule[] = [];
  #chance: () => Fault | undefined = () => undefined;
  /** Requests that met a fault. */
  failed = 0;
  readonly #server = createServer((request, response) => void this.#handle(request, response));

  private constructor(upstream: string) {
    this.#upstream = new URL(upstream);
  }

  /** `upstream`: the endpoint to pass requests to. */
  static async start(upstream: string): Promise<FaultProxy> {
    const proxy = new FaultProxy(upstream);
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  get endpoint(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** The next `times` requests of this operation with `under` in their paths, after `skip` of them, meet the fault. */
  fail(operation: string, fault: Fault, { times = 1, skip = 0, under = '' } = {}): void {
    this.#rules.push({ operation, fault, times, skip, under });
  }

  /** From now on `share` of the requests, 0 to 1, that no rule is for meet a fault that `random`, numbers in [0, 1), chooses from these. */
  failSome(share: number, faults: readonly Fault[], random: () => number): void {
    this.#chance = () => (random() < share ? faults[Math.floor(random() * faults.length)] : undefined);
  }

  count(operation: string): number {
    return this.requests.filter((request) => request.operation === operation).length;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.on('error', () => undefined);
    const operation = operationOf(request);
    const path = (request.url ?? '').replace(/\?.*/, '');
    this.requests.push({ operation, path, range: request.headers.range });
    const fault = this.#faultFor(operation, path);
    if (fault) this.failed++;
    if (fault?.kind === 'answer') return answer(request, response, fault);
    if (fault?.kind === 'first') await fault.run();
    const upstream = sendRequest(
      {
        host: this.#upstream.hostname,
        port: this.#upstream.port,
        method: request.method ?? 'GET',
        path: request.url,
        headers: request.headers,
      },
      (answered) => void passOn(answered, response, fault),
    );
    upstream.on('error', () => response.socket?.resetAndDestroy());
    request.on('error', () => upstream.destroy());
    request.pipe(upstream);
  }

  #faultFor(operation: string, path: string): Fault | undefined {
    const rule = this.#rules.find(
      (each) => each.operation === operation && each.times > 0 && path.includes(each.under),
    );
    if (!rule) return this.#chance();
    if (rule.skip > 0) {
      rule.skip--;
      return undefined;
    }
    rule.times--;
    return rule.fault;
  }
}

function answer(
  request: IncomingMessage,
  response: ServerResponse,
  { status, code }: Extract<Fault, { kind: 'answer' }>,
): void {
  request.resume();
  request.on('end', () => {
    response.writeHead(status, { 'content-type': 'application/xml' });
    const body = `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>injected</Message></Error>`;
    response.end(request.method === 'HEAD' ? undefined : body);
  });
}

async function passOn(
  answered: IncomingMessage,
  response: ServerResponse,
  fault: Fault | undefined,
): Promise<void> {
  const { socket } = response;
  switch (fault?.kind) {
    case 'lose-answer':
    case 'keep-answer':
      answered.resume();
      await once(answered, 'end');
      if (fault.kind === 'lose-answer') socket?.resetAndDestroy();
      return;
    case 'cut-body':
    case 'reset-body':
    case 'stall-body':
      response.writeHead(answered.statusCode ?? 502, answered.headers);
      await sendBeginning(answered, response, fault.afterBytes);
      if (fault.kind === 'cut-body') socket?.end();
      if (fault.kind === 'reset-body') socket?.resetAndDestroy();
      return;
    default:
      response.writeHead(answered.statusCode ?? 502, answered.headers);
      answered.on('error', () => socket?.resetAndDestroy());
      answered.pipe(response);
  }
}

/** Resolves when the header and these bytes of the body have left. The rest is dropped. */
async function sendBeginning(
  answered: IncomingMessage,
  response: ServerResponse,
  bytes: number,
): Promise<void> {
  const body = await collectBytes(answered);
  response.flushHeaders();
  await new Promise((sent) => response.write(body.subarray(0, bytes), sent));
}

/** What the SDK sent: its `x-id` where it says so, else by method and query. */
function operationOf(request: IncomingMessage): string {
  const url = new URL(request.url ?? '/', 'http://proxy');
  const said = url.searchParams.get('x-id');
  if (said) return said;
  const isBucket = url.pathname.split('/').filter((part) => part !== '').length < 2;
  const has = (name: string) => url.searchParams.has(name);
  switch (request.method) {
    case 'HEAD':
      return isBucket ? 'HeadBucket' : 'HeadObject';
    case 'GET':
      if (has('uploads')) return 'ListMultipartUploads';
      return isBucket ? 'ListObjectsV2' : 'GetObject';
    case 'POST':
      return has('uploads') ? 'CreateMultipartUpload' : 'CompleteMultipartUpload';
    default:
      return `${request.method}`;
  }
}
