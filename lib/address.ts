/** HOST:PORT addresses as flags and options take them. */
import { isIP } from 'node:net';
import { MillraceError } from './errors.ts';

export interface Address {
  readonly host: string;
  /** 0 asks for any free port. */
  readonly port: number;
}

/** Throws `invalid-argument` naming the setting. An IPv6 host is written `[::1]:7450`. */
export function parseAddress(text: string, setting: string): Address {
  const match = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(text);
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  if (host === undefined || port > 65_535) {
    throw new MillraceError(
      'invalid-argument',
      `${setting} must be HOST:PORT with a port up to 65535, got ${JSON.stringify(text)}`,
    );
  }
  return { host, port };
}

const addressesMax = 16;

/** HOST:PORT, or several with commas between them, each once. Throws `invalid-argument` naming the setting. */
export function parseAddresses(text: string, setting: string): string[] {
  const parts = text.split(',').map((part) => part.trim());
  const addresses = new Set(parts.map((part) => formatAddress(parseAddress(part, setting))));
  if (addresses.size <= addressesMax) return [...addresses];
  throw new MillraceError(
    'invalid-argument',
    `${setting} names ${addresses.size} addresses, over ${addressesMax}`,
  );
}

export function formatAddress(address: Address): string {
  return isIP(address.host) === 6 ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`;
}

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
}

/** All interfaces: nobody can be told to connect there. */
export function isWildcard(host: string): boolean {
  return host === '0.0.0.0' || host === '::';
}

/**
 * What others are told to connect to: as given, with the bound port when it names a host only; without it the bound address, or the
 * host's name when that is all interfaces. Throws `invalid-argument` naming the setting.
 */
export function advertisedAddress(given: string | undefined, bound: string, hostname: string): string {
  const { host, port } = parseAddress(bound, '--listen');
  if (!given) return formatAddress({ host: isWildcard(host) ? hostname : host, port });
  const alone = given.replace(/^\[(.*)\]$/, '$1');
  const isHost = isIP(alone) !== 0 || /^[^:\s/]+$/.test(given);
  return formatAddress(
    isHost ? { host: alone, port } : parseAddress(given, '--advertise (MILLRACE_ADVERTISE)'),
  );
}
