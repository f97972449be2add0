/** Against real sockets; what a whole cluster says is in test/e2e/doctor.test.ts. */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { connectTcp, resolveName, speaksTls } from './reach.ts';

let server: Server;
let address: { host: string; port: number };

beforeEach(async () => {
  // Takes connections and says nothing.
  server = createServer((socket) => socket.on('error', () => undefined));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  address = { host: '127.0.0.1', port: (server.address() as AddressInfo).port };
});
afterEach(() => server.close());

const patient = () => AbortSignal.timeout(10_000);

test('a port that takes connections', async () => {
  expect(await connectTcp(address, patient())).toBe(`127.0.0.1:${address.port} takes connections`);
});

test('a port where nothing listens, and one that does not answer in time, are told apart', async () => {
  server.close();
  await expect(connectTcp(address, patient())).rejects.toThrow(/nothing listens at 127\.0\.0\.1:\d+/);
  await expect(connectTcp(address, AbortSignal.abort())).rejects.toThrow(/does not answer: a firewall/);
});

test('a name', async () => {
  expect(await resolveName({ host: 'localhost', port: 1 })).toMatch(/^(127\.0\.0\.1|::1)$/);
  await expect(resolveName({ host: 'nobody.invalid', port: 1 })).rejects.toThrow(
    /nobody\.invalid is not known/,
  );
});

test('a server that says nothing, and is given up, speaks no TLS', async () => {
  const abort = new AbortController();
  server.once('connection', () => abort.abort());
  expect(await speaksTls(address, abort.signal)).toBe(false);
});
