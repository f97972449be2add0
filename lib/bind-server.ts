/** Binds a gRPC server, without credentials: whoever calls has made sure that the address is on loopback. */
import { type Server, ServerCredentials } from '@grpc/grpc-js';
import { type Address, formatAddress } from './address.ts';
import { MillraceError } from './errors.ts';

/** Resolves with HOST:PORT as bound. Throws `unavailable` naming the address when it is taken. */
export function bindServer(server: Server, listen: Address): Promise<string> {
  const address = formatAddress(listen);
  return new Promise((resolve, reject) => {
    server.bindAsync(address, ServerCredentials.createInsecure(), (error, port) => {
      if (!error) resolve(formatAddress({ host: listen.host, port }));
      else
        reject(new MillraceError('unavailable', `cannot listen on ${address} (--listen): ${error.message}`));
    });
  });
}
