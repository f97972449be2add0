/**
 * Why a coordinator cannot be reached: name, port, TLS, in that order. gRPC alone says "unavailable" to all of them.
 */
import { lookup } from 'node:dns/promises';
import { connect } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { type Address, formatAddress } from '../lib/address.ts';
import { MillraceError } from '../lib/errors.ts';

const setting = '--coordinator (MILLRACE_COORDINATOR)';

/** The address that the name stands for. Throws `unavailable` when there is none. */
export async function resolveName({ host }: Address): Promise<string> {
  try {
    return (await lookup(host)).address;
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new MillraceError(
      'unavailable',
      `the name ${host} is not known here (${code}): is ${setting} right, and is this machine in the network that knows it?`,
      { cause },
    );
  }
}

/** Throws `unavailable` with the reason when nothing takes a TCP connection there. */
export async function connectTcp(address: Address, signal: AbortSignal): Promise<string> {
  const text = formatAddress(address);
  const socket = connect({ host: address.host, port: address.port, signal });
  try {
    await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('error', reject));
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new MillraceError('unavailable', unreachable(text, code ?? String(cause)), { cause });
  } finally {
    socket.destroy();
  }
  return `${text} takes connections`;
}

function unreachable(address: string, code: string): string {
  if (code === 'ECONNREFUSED')
    return `nothing listens at ${address}: start millrace coordinator there, or give its address with ${setting}`;
  if (code === 'ABORT_ERR' || code === 'ETIMEDOUT')
    return `${address} does not answer: a firewall drops it, or ${setting} is wrong`;
  return `${address} cannot be reached (${code}): is ${setting} right?`;
}

/** Whether what listens there speaks TLS, with whatever certificate: tells a missing `--tls-ca` from a dead coordinator. */
export async function speaksTls(address: Address, signal: AbortSignal): Promise<boolean> {
  // Nothing is sent over this connection; it only asks whether there would be TLS.
  const socket = connectTls({
    host: address.host,
    port: address.port,
    rejectUnauthorized: false,
    ALPNProtocols: ['h2'],
  });
  signal.addEventListener('abort', () => socket.destroy(), { once: true });
  try {
    return await new Promise((resolve) => {
      socket.once('secureConnect', () => resolve(true));
      socket.once('error', () => resolve(false));
      socket.once('close', () => resolve(false));
    });
  } finally {
    socket.destroy();
  }
}
