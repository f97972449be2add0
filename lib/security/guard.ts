/** What a server asks of its callers, and whom it takes them for. The same answer for gRPC and HTTP. */
import type { IncomingMessage } from 'node:http';
import type {
  PeerCertificate,
  SecureContextOptions,
  TLSSocket,
  TlsOptions as TlsServerOptions,
} from 'node:tls';
import { MillraceError } from '../errors.ts';
import type { MethodRule, Role } from './role.ts';
import { compileTls, roleOfCertificate, type TlsMaterial, type TlsOptions } from './tls.ts';
import { readToken, Tokens, tokenOfHeader } from './token.ts';

export interface GuardOptions {
  /** Both tokens or none. A file goes before the token itself. */
  readonly clientToken?: string | undefined;
  readonly clientTokenFile?: string | undefined;
  readonly workerToken?: string | undefined;
  readonly workerTokenFile?: string | undefined;
  readonly tls?: TlsOptions | undefined;
}

/** What a caller showed. */
export interface Shown {
  /** Of a TLS connection, verified against the CA. */
  readonly certificate: PeerCertificate | undefined;
  /** The `authorization` header. */
  readonly authorization: string | undefined;
}

export class Guard {
  /** Asks for nothing: on loopback. */
  static readonly open = new Guard(undefined, undefined);
  readonly tls: TlsMaterial | undefined;
  readonly #tokens: Tokens | undefined;

  constructor(tls: TlsMaterial | undefined, tokens: Tokens | undefined) {
    this.tls = tls;
    this.#tokens = tokens;
  }

  /** Callers must show a certificate of the CA. */
  get demandsCertificates(): boolean {
    return this.tls?.identity !== undefined && this.tls.ca !== undefined;
  }

  /** Callers must show something. */
  get authenticates(): boolean {
    return this.#tokens !== undefined || this.demandsCertificates;
  }

  get encrypts(): boolean {
    return this.tls?.identity !== undefined;
  }

  /** Where certificates are demanded they alone say who calls; tokens count elsewhere. */
  roleOf({ certificate, authorization }: Shown): Role | undefined {
    if (this.demandsCertificates) return certificate && roleOfCertificate(certificate);
    const token = tokenOfHeader(authorization);
    return token === undefined ? undefined : this.#tokens?.roleOf(token);
  }

  /** The reason to refuse a call of a method of that rule; undefined lets it pass. */
  refusal(rule: MethodRule | undefined, shown: Shown): MillraceError | undefined {
    if (rule === undefined) return new MillraceError('unauthenticated', 'this method is open to nobody');
    if (rule === 'open' || !this.authenticates) return undefined;
    if (rule === 'ticket' && !this.demandsCertificates) return undefined;
    const wanted = rule === 'ticket' ? 'worker' : rule;
    const role = this.roleOf(shown);
    if (role === wanted) return undefined;
    if (role === undefined) return new MillraceError('unauthenticated', this.#whatIsMissing(shown));
    return new MillraceError(
      'permission-denied',
      `the credentials shown are those of a ${role}, and this call needs those of a ${wanted}`,
    );
  }

  #whatIsMissing({ certificate, authorization }: Shown): string {
    if (this.demandsCertificates) {
      return certificate
        ? `the certificate ${JSON.stringify(certificate.subject?.CN)} names no role: its OU must be client or worker`
        : 'no certificate was shown (--tls-cert and --tls-key, MILLRACE_TLS_CERT and MILLRACE_TLS_KEY)';
    }
    return authorization === undefined
      ? 'no token was shown (MILLRACE_TOKEN, or --token-file)'
      : 'the token shown is not one of this cluster (MILLRACE_TOKEN, or --token-file)';
  }

  /**
   * For the HTTP port: a certificate of the CA, or `Authorization: Bearer TOKEN`. Undefined refuses; without any credentials set up
   * (loopback) everybody is a client.
   */
  authorizeHttp(request: IncomingMessage): Role | undefined {
    if (!this.authenticates) return 'client';
    const { socket, headers } = request;
    const tlsSocket = 'authorized' in socket ? (socket as TLSSocket) : undefined;
    const certificate = tlsSocket?.authorized ? tlsSocket.getPeerCertificate() : undefined;
    const byCertificate =
      this.demandsCertificates && certificate?.subject ? roleOfCertificate(certificate) : undefined;
    const token = tokenOfHeader(headers.authorization);
    return byCertificate ?? (token === undefined ? undefined : this.#tokens?.roleOf(token));
  }

  /**
   * For `https.createServer`; undefined: serve plain HTTP. A connection without a certificate is let in, for probes and for tokens:
   * `authorizeHttp` decides per request.
   */
  httpsOptions(): (SecureContextOptions & TlsServerOptions) | undefined {
    const { tls } = this;
    if (!tls?.identity) return undefined;
    const { cert, key } = tls.identity;
    const minVersion = 'TLSv1.2';
    return tls.ca
      ? { cert, key, minVersion, ca: tls.ca, requestCert: true, rejectUnauthorized: false }
      : { cert, key, minVersion };
  }
}

/** Throws `invalid-argument` for one token without the other, and what the files and certificates are wrong with. */
export function compileGuard(options: GuardOptions = {}): Guard {
  const { clientTokenFile, workerTokenFile } = options;
  const clientToken = clientTokenFile
    ? readToken(clientTokenFile, '--client-token-file (MILLRACE_CLIENT_TOKEN_FILE)')
    : options.clientToken;
  const workerToken = workerTokenFile
    ? readToken(workerTokenFile, '--worker-token-file (MILLRACE_WORKER_TOKEN_FILE)')
    : options.workerToken;
  const tls = compileTls(options.tls);
  if (tls && !tls.identity) {
    throw new MillraceError(
      'invalid-argument',
      '--tls-ca on a server needs a certificate and a key too: give --tls-cert and --tls-key',
    );
  }
  if (!clientToken && !workerToken) return tls ? new Guard(tls, undefined) : Guard.open;
  if (!clientToken || !workerToken) {
    const missing = clientToken ? 'WORKER' : 'CLIENT';
    throw new MillraceError(
      'invalid-argument',
      `MILLRACE_${missing}_TOKEN (or --${missing.toLowerCase()}-token-file) is missing: a coordinator takes a token for clients ` +
        'and another for workers',
    );
  }
  return new Guard(tls, new Tokens(clientToken, workerToken));
}
