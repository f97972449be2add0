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

export function formatAddress(address: Address): string {
  return isIP(address.host) === 6 ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`;
}

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
}

/** This version has no credentials, and an open port that runs code is an open door: only loopback is served. */
export function requireLoopback(address: Address, setting: string): void {
  if (isLoopback(address.host)) return;
  throw new MillraceError(
    'permission-denied',
    `${setting} ${formatAddress(address)} would be reachable from other machines without credentials; ` +
      'this version serves loopback addresses only (127.0.0.1, ::1)',
  );
}
