/** An open port that runs code is an open door: what is reachable from other machines must ask who is there. */
import { type Address, formatAddress, isLoopback } from '../address.ts';
import { MillraceError } from '../errors.ts';

export interface Protection {
  /** Callers have to show credentials. */
  readonly authenticates: boolean;
  readonly encrypts: boolean;
}

/**
 * Throws `permission-denied` for an address beyond loopback that nothing protects; `remedy` says what to set. Otherwise the warning to
 * log, or undefined.
 */
export function checkExposure(
  address: Address,
  setting: string,
  protection: Protection,
  remedy: string,
): string | undefined {
  if (isLoopback(address.host)) return undefined;
  const where = `${setting} ${formatAddress(address)}`;
  if (!protection.authenticates) {
    throw new MillraceError(
      'permission-denied',
      `${where} would be reachable from other machines without credentials; set ${remedy}, ` +
        'or listen on loopback only (127.0.0.1, [::1])',
    );
  }
  if (protection.encrypts) return undefined;
  return `${where} is not encrypted: tokens and data can be read on the network; set --tls-cert and --tls-key (millrace certs makes some)`;
}
