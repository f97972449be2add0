import { Client, type ClientReadableStream, credentials, Server } from '@grpc/grpc-js';
import { service } from 'grpc-health-check';
import { afterEach, expect, test } from 'vitest';
import { type BoundServer, bindServer } from './bind-server.ts';
import { addHealth, type Health } from './health.ts';

interface Answer {
  readonly status: string;
}

let client: Client;
let bound: BoundServer;
afterEach(async () => {
  client.close();
  await bound.close();
});

async function start(): Promise<Health> {
  const server = new Server();
  const health = await addHealth(server, ['millrace.v1.Shuffle']);
  bound = await bindServer(server, { host: '127.0.0.1', port: 0 });
  client = new Client(bound.address, credentials.createInsecure());
  return health;
}

function check(name: string): Promise<string> {
  const { path, requestSerialize, responseDeserialize } = service.Check!;
  return new Promise((resolve, reject) => {
    const decode = (bytes: Buffer) => responseDeserialize(bytes) as Answer;
    client.makeUnaryRequest(path, requestSerialize, decode, { service: name }, (error, answer) =>
      error ? reject(error) : resolve(answer!.status),
    );
  });
}

function watch(name: string): AsyncIterator<Answer> {
  const { path, requestSerialize, responseDeserialize } = service.Watch!;
  const stream = client.makeServerStreamRequest(path, requestSerialize, responseDeserialize, {
    service: name,
  });
  stream.on('error', () => undefined);
  return (stream as ClientReadableStream<Answer>)[Symbol.asyncIterator]() as AsyncIterator<Answer>;
}

test('a server does not serve before it is said to, overall and by the name of its service', async () => {
  const health = await start();
  expect(await check('')).toBe('NOT_SERVING');
  health.setServing(true);
  expect([await check(''), await check('millrace.v1.Shuffle')]).toEqual(['SERVING', 'SERVING']);
  health.setServing(false);
  expect(await check('millrace.v1.Shuffle')).toBe('NOT_SERVING');
});

test('who watches is told of changes, once each', async () => {
  const health = await start();
  const watched = watch('');
  expect((await watched.next()).value.status).toBe('NOT_SERVING');
  health.setServing(true);
  health.setServing(true);
  expect((await watched.next()).value.status).toBe('SERVING');
  health.setServing(false);
  expect((await watched.next()).value.status).toBe('NOT_SERVING');
});

test('a service that is not here is not found', async () => {
  await start();
  await expect(check('millrace.v1.Client')).rejects.toMatchObject({ code: 5 });
});
