/** Binds a gRPC server. Whether it may be reachable there is for the caller to check first (security/exposure.ts). */
import type { Server } from '@grpc/grpc-js';
import { type Address, formatAddress } from './address.ts';
import { MillraceError } from './errors.ts';
import { serverCredentials, type TlsMaterial } from './security/tls.ts';

/** Resolves with HOST:PORT as bound; plain text without an identity in `tls`. Throws `unavailable` naming the address when it is taken. */
export function bindServer(server: Server, listen: Address, tls?: TlsMaterial): Promise<string> {
  const address = formatAddress(listen);
  return new Promise((resolve, reject) => {
    server.bindAsync(address, serverCredentials(tls), (error, port) => {
      if (!error) resolve(formatAddress({ host: listen.host, port }));
      else
        reject(new MillraceError('unavailable', `cannot listen on ${address} (--listen): ${error.message}`));
    });
  });
}
