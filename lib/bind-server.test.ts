import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { Server } from '@grpc/grpc-js';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { parseAddress } from './address.ts';
import { type BoundServer, bindServer } from './bind-server.ts';

const anyPort = { host: '127.0.0.1', port: 0 };
let server: Server;
let bound: BoundServer;
let refused: string[];

beforeEach(async () => {
  refused = [];
  server = new Server();
  bound = await bindServer(server, anyPort, {
    connectionsMax: 1,
    onRefused: (peer, why) => refused.push(`${peer}: ${why}`),
  });
});
afterEach(() => bound.close());

/** The first bytes of a gRPC server are its HTTP/2 settings. */
async function answers(socket: Socket): Promise<boolean> {
  return await Promise.race([once(socket, 'data').then(() => true), once(socket, 'close').then(() => false)]);
}

function open(): Socket {
  return connect(parseAddress(bound.address, ''));
}

test('a connection too many is closed at once and told of, with the limit', async () => {
  const first = open();
  expect(await answers(first)).toBe(true);
  const second = open();
  expect(await answers(second)).toBe(false);
  expect(refused).toEqual([
    expect.stringMatching(/^127\.0\.0\.1:\d+: 1 connections are open, the limit \(grpcConnectionsMax\)$/),
  ]);
  first.destroy();
});

test('when one is closed there is room for another', async () => {
  const first = open();
  await answers(first);
  first.end();
  await once(first, 'close');
  // The server hears of the end a little later.
  let next = open();
  while (!(await answers(next))) next = open();
  next.destroy();
});

test('closing ends connections that never said a word, and waits until all are gone', async () => {
  const silent = open();
  await once(silent, 'data');
  const ended = once(
    silent.on('error', () => undefined),
    'close',
  );
  await bound.close();
  await ended;
  await expect(once(open(), 'connect')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
});

test('an address that is taken is unavailable, and named', async () => {
  await expect(bindServer(server, parseAddress(bound.address, ''))).rejects.toMatchObject({
    code: 'unavailable',
    message: expect.stringContaining(`cannot listen on ${bound.address} (--listen)`),
  });
});
