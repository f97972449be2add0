/** A certificate authority of its own and one certificate per role: for development, and for clusters that have no better one. */
import { randomBytes, webcrypto } from 'node:crypto';
import { isIP } from 'node:net';
// Wanted by x509 before it loads.
import 'reflect-metadata';
import * as x509 from '@peculiar/x509';

export type CertifiedRole = 'coordinator' | 'worker' | 'client';

export interface MadeCertificate {
  readonly name: 'ca' | CertifiedRole;
  /** PEM. */
  readonly cert: string;
  readonly key: string;
}

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const dayMs = 24 * 3_600_000;
/** A clock that is a little behind must not find them too new. */
const backdateMs = 3_600_000;

/** `hosts`: names and addresses under which the coordinator is reached; workers are known by their role. Valid for `days` from `nowMs`. */
export async function makeCertificates(
  hosts: readonly string[],
  days: number,
  nowMs: number,
): Promise<MadeCertificate[]> {
  const validity = { notBefore: new Date(nowMs - backdateMs), notAfter: new Date(nowMs + days * dayMs) };
  const caKeys = await makeKeys();
  const ca = await x509.X509CertificateGenerator.createSelfSigned({
    ...validity,
    serialNumber: serialNumber(),
    name: 'CN=Millrace CA, O=Millrace',
    keys: caKeys,
    signingAlgorithm: algorithm,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(caKeys.publicKey),
    ],
  });
  const issue = async (role: CertifiedRole): Promise<MadeCertificate> => {
    const keys = await makeKeys();
    const certificate = await x509.X509CertificateGenerator.create({
      ...validity,
      serialNumber: serialNumber(),
      subject: `CN=millrace ${role}, OU=${role}, O=Millrace`,
      issuer: ca.subject,
      publicKey: keys.publicKey,
      signingKey: caKeys.privateKey,
      signingAlgorithm: algorithm,
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        new x509.ExtendedKeyUsageExtension(usesOf(role)),
        await x509.AuthorityKeyIdentifierExtension.create(caKeys.publicKey),
        ...(role === 'coordinator' ? [new x509.SubjectAlternativeNameExtension(hosts.map(generalName))] : []),
      ],
    });
    return { name: role, cert: certificate.toString('pem'), key: await keyPem(keys.privateKey) };
  };
  return [
    { name: 'ca', cert: ca.toString('pem'), key: await keyPem(caKeys.privateKey) },
    ...(await Promise.all([issue('coordinator'), issue('worker'), issue('client')])),
  ];
}

/** A worker calls and is called; a client never serves. */
function usesOf(role: CertifiedRole): x509.ExtendedKeyUsage[] {
  const { clientAuth, serverAuth } = x509.ExtendedKeyUsage;
  switch (role) {
    case 'coordinator':
      return [serverAuth];
    case 'worker':
      return [serverAuth, clientAuth];
    case 'client':
      return [clientAuth];
  }
}

function generalName(host: string): x509.JsonGeneralName {
  return { type: isIP(host) === 0 ? 'dns' : 'ip', value: host };
}

async function makeKeys(): Promise<webcrypto.CryptoKeyPair> {
  return (await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])) as webcrypto.CryptoKeyPair;
}

async function keyPem(key: webcrypto.CryptoKey): Promise<string> {
  return x509.PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', key), 'PRIVATE KEY');
}

/** Positive, as the standard wants it. */
function serialNumber(): string {
  const bytes = randomBytes(16);
  bytes[0]! &= 0x7f;
  return bytes.toString('hex');
}
