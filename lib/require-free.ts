/** Asks for an address before anything is done that a failed start could not take back. */
import { once } from 'node:events';
import { createServer } from 'node:net';
import { type Address, formatAddress } from './address.ts';
import { MillraceError } from './errors.ts';

/** Throws `unavailable`, naming the setting, when somebody listens there already, or nobody on this machine can. */
export async function requireFree({ host, port }: Address, setting: string): Promise<void> {
  if (port === 0) return;
  const server = createServer();
  try {
    await once(server.listen({ host, port }), 'listening');
  } catch (error) {
    const { message } = MillraceError.from(error);
    const address = formatAddress({ host, port });
    throw new MillraceError('unavailable', `cannot listen on ${address} (${setting}): ${message}`, {
      cause: error,
    });
  }
  server.close();
  await once(server, 'close');
}
