/**
 * Certificates and keys of this process, and how the role of a peer is read from its own. A certificate made for Millrace names
 * its role in the subject's OU: `coordinator`, `worker` or `client`.
 */
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { checkServerIdentity, type PeerCertificate } from 'node:tls';
import { ChannelCredentials, ServerCredentials } from '@grpc/grpc-js';
import { MillraceError } from '../errors.ts';
import { type Role, roles } from './role.ts';
import { readSecretFile } from './token.ts';

/** Each a file, or PEM text. A server with a `ca` demands certificates of it from its callers (mTLS). */
export interface TlsOptions {
  readonly ca?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
}

export interface Identity {
  readonly cert: Buffer;
  readonly key: Buffer;
}

/** Read and checked, PEM. */
export interface TlsMaterial {
  readonly ca: Buffer | undefined;
  readonly identity: Identity | undefined;
}

export const tlsSettings = '--tls-cert, --tls-key and --tls-ca (MILLRACE_TLS_CERT, _KEY and _CA)';

/** Undefined when nothing is given. Throws, naming the setting: a file that cannot be read, is no PEM, or a key of another certificate. */
export function compileTls(options: TlsOptions | undefined): TlsMaterial | undefined {
  const { ca, cert, key } = options ?? {};
  if (ca === undefined && cert === undefined && key === undefined) return undefined;
  const caPem = ca === undefined ? undefined : readPem(ca, '--tls-ca (MILLRACE_TLS_CA)');
  if (caPem) parseCertificate(caPem, '--tls-ca (MILLRACE_TLS_CA)');
  return { ca: caPem, identity: compileIdentity(cert, key) };
}

function compileIdentity(cert: string | undefined, key: string | undefined): Identity | undefined {
  if (cert === undefined && key === undefined) return undefined;
  if (cert === undefined || key === undefined) {
    const [given, missing] = cert === undefined ? ['key', 'cert'] : ['cert', 'key'];
    throw new MillraceError(
      'invalid-argument',
      `--tls-${given} without --tls-${missing}: give both (MILLRACE_TLS_CERT, MILLRACE_TLS_KEY)`,
    );
  }
  const identity = {
    cert: readPem(cert, '--tls-cert (MILLRACE_TLS_CERT)'),
    key: readPem(key, '--tls-key (MILLRACE_TLS_KEY)'),
  };
  const certificate = parseCertificate(identity.cert, '--tls-cert (MILLRACE_TLS_CERT)');
  if (!certificate.checkPrivateKey(parseKey(identity.key))) {
    throw new MillraceError(
      'invalid-argument',
      `--tls-key is not the key of --tls-cert (${certificate.subject.replaceAll('\n', ', ')})`,
    );
  }
  return identity;
}

function readPem(fileOrPem: string, setting: string): Buffer {
  return fileOrPem.includes('-----BEGIN ') ? Buffer.from(fileOrPem) : readSecretFile(fileOrPem, setting);
}

function parseCertificate(pem: Buffer, setting: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch (cause) {
    throw new MillraceError('invalid-argument', `${setting} is not a certificate in PEM`, { cause });
  }
}

function parseKey(pem: Buffer): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch {
    // The cause is left out: it may quote the key.
    throw new MillraceError(
      'invalid-argument',
      '--tls-key (MILLRACE_TLS_KEY) is not an unencrypted private key in PEM',
    );
  }
}

/** For callers: undefined when the certificate is of no role that calls. */
export function roleOfCertificate({ subject }: Pick<PeerCertificate, 'subject'>): Role | undefined {
  const units = unitsOf(subject);
  return roles.find((role) => units.includes(role));
}

function unitsOf(subject: PeerCertificate['subject'] | undefined): readonly string[] {
  return [subject?.OU ?? []].flat();
}

/**
 * Plain text without an identity; certificates demanded when there is a CA.
 * @internal
 */
export function serverCredentials(tls: TlsMaterial | undefined): ServerCredentials {
  if (!tls?.identity) return ServerCredentials.createInsecure();
  const { cert, key } = tls.identity;
  const pair = { cert_chain: cert, private_key: key };
  return ServerCredentials.createSsl(tls.ca ?? null, [pair], tls.ca !== undefined);
}

/**
 * A coordinator is reached by a name or address, which its certificate must have; and a client's or worker's certificate makes no
 * coordinator. Undefined `tls`: plain text.
 * @internal
 */
export function credentialsForCoordinator(tls: TlsMaterial | undefined, host: string): ChannelCredentials {
  return channelCredentials(tls, (certificate) => {
    const wrongRole = roleOfCertificate(certificate);
    if (wrongRole === undefined) return checkServerIdentity(host, certificate);
    return new Error(`${host} shows the certificate of a ${wrongRole}, not of a coordinator`);
  });
}

/**
 * Workers come and go under names that nobody knows when certificates are made: theirs must name the role.
 * @internal
 */
export function credentialsForWorker(tls: TlsMaterial | undefined): ChannelCredentials {
  return channelCredentials(tls, (certificate) => {
    if (roleOfCertificate(certificate) === 'worker') return undefined;
    return new Error('the certificate shown is not of a worker (its OU must be worker)');
  });
}

function channelCredentials(
  tls: TlsMaterial | undefined,
  check: (certificate: PeerCertificate) => Error | undefined,
): ChannelCredentials {
  if (!tls) return ChannelCredentials.createInsecure();
  const { ca, identity } = tls;
  return ChannelCredentials.createSsl(ca ?? null, identity?.key ?? null, identity?.cert ?? null, {
    checkServerIdentity: (_name, certificate) => check(certificate),
  });
}

/**
 * For every channel: TLS asks for a server by name, and an address is none (Node warns of it). What the server shows is checked by
 * the functions above, not by this name.
 */
export const channelName = { 'grpc.ssl_target_name_override': 'millrace.invalid' } as const;
