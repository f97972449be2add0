/** A cluster whose servers demand certificates: who has none, another's, or one of the wrong role stays outside. */

import { get } from 'node:https';
import { connect as connectTls } from 'node:tls';
import type { ChannelCredentials } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type MadeCertificate, makeCertificates } from '../../lib/security/make-certificates.ts';
import { compileTls, credentialsForCoordinator, credentialsForWorker } from '../../lib/security/tls.ts';
import { connect } from '../../sdk/client.ts';
import { startWorker } from '../../worker/main.ts';
import { callRaw, coordinatorMethods, methodNamed } from './raw-call.ts';
import { clientToken, Target, workerToken } from './target.ts';

let target: Target;
let before: string;
let ours: MadeCertificate[];
let foreign: MadeCertificate[];

type Name = MadeCertificate['name'];

/** As a program of that role is given them. */
function tlsOf(made: MadeCertificate[], role: Name) {
  const { cert, key } = made.find(({ name }) => name === role)!;
  return { ca: made.find(({ name }) => name === 'ca')!.cert, cert, key };
}

function channelOf(made: MadeCertificate[], role: Name, peer: 'coordinator' | 'worker' = 'coordinator') {
  const tls = compileTls({ ...tlsOf(made, role), ca: tlsOf(ours, 'ca').ca });
  return peer === 'worker' ? credentialsForWorker(tls) : credentialsForCoordinator(tls, '127.0.0.1');
}

beforeAll(async () => {
  [ours, foreign] = await Promise.all([
    makeCertificates(['127.0.0.1'], 1, Date.now()),
    makeCertificates(['127.0.0.1'], 1, Date.now()),
  ]);
  target = await Target.start({
    // Certificates are demanded, so tokens count on the HTTP port only.
    guard: { clientToken, workerToken, tls: tlsOf(ours, 'coordinator') },
    worker: { tls: tlsOf(ours, 'worker') },
    client: { tls: tlsOf(ours, 'client') },
  });
  before = await target.picture();
}, 30_000);
afterAll(() => target[Symbol.asyncDispose]());

async function refused(name: string, channel: ChannelCredentials | undefined, token?: string) {
  const { address } = target.coordinator;
  const method = methodNamed(name);
  const outcome = await callRaw({ address, method, token, ...(channel && { channel }) });
  expect(outcome.received).toEqual([]);
  expect(await target.picture()).toBe(before);
  return outcome;
}

describe('the coordinator refuses', () => {
  it('plain text, whatever token comes with it', async () => {
    expect(await refused('List', undefined, clientToken)).toMatchObject({ code: 'UNAVAILABLE' });
  });

  it('a caller without a certificate', async () => {
    const { ca } = tlsOf(ours, 'ca');
    const channel = credentialsForCoordinator(compileTls({ ca }), '127.0.0.1');
    expect(await refused('List', channel, clientToken)).toMatchObject({ code: 'UNAVAILABLE' });
  });

  it.each(['client', 'worker'] as const)('a %s certificate of another CA', async (role) => {
    expect(await refused('List', channelOf(foreign, role))).toMatchObject({ code: 'UNAVAILABLE' });
  });

  it.each(coordinatorMethods.map(({ path }) => path.split('/').at(-1)!))(
    '%s for the wrong role',
    async (name) => {
      const wrong = name === 'Session' ? 'client' : 'worker';
      expect(await refused(name, channelOf(ours, wrong))).toMatchObject({
        code: 'PERMISSION_DENIED',
        details: expect.stringMatching(`those of a ${wrong}`),
      });
    },
  );

  it("a coordinator's certificate, which is made to be called and not to call", async () => {
    expect(await refused('List', channelOf(ours, 'coordinator'))).toMatchObject({ code: 'UNAVAILABLE' });
  });

  it('a token in place of the right certificate', async () => {
    expect(await refused('List', channelOf(ours, 'worker'), clientToken)).toMatchObject({
      code: 'PERMISSION_DENIED',
    });
  });
});

describe('a worker refuses', () => {
  const fetch = (channel: ChannelCredentials) =>
    callRaw({
      address: target.worker.fetchAddress,
      channel,
      method: methodNamed('Fetch'),
      messages: [{ jobId: 'j' }],
    });

  it('fetches of clients', async () => {
    expect(await fetch(channelOf(ours, 'client', 'worker'))).toMatchObject({ code: 'PERMISSION_DENIED' });
  });

  it('fetches of strangers', async () => {
    expect(await fetch(channelOf(foreign, 'worker', 'worker'))).toMatchObject({ code: 'UNAVAILABLE' });
  });

  it('fetches of workers without a ticket', async () => {
    expect(await fetch(channelOf(ours, 'worker', 'worker'))).toMatchObject({ code: 'UNAUTHENTICATED' });
  });
});

describe('callers refuse', () => {
  it('a coordinator of another CA', async () => {
    const { coordinator } = target;
    await using client = connect({ coordinator: coordinator.address, tls: tlsOf(foreign, 'client') });
    await expect(client.list()).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringMatching(/certificate/),
    });
  });

  it('a coordinator under a name that its certificate does not have', async () => {
    const address = target.coordinator.address.replace('127.0.0.1', 'localhost');
    await using client = connect({ coordinator: address, tls: tlsOf(ours, 'client') });
    await expect(client.list()).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringMatching(/altnames|localhost/),
    });
  });

  it("a worker in the coordinator's place, and a client in a worker's", async () => {
    const call = (peer: 'coordinator' | 'worker', address: string) =>
      callRaw({ address, channel: channelOf(ours, 'worker', peer), method: methodNamed('List') });
    expect(await call('coordinator', target.worker.fetchAddress)).toMatchObject({
      code: 'UNAVAILABLE',
      details: expect.stringMatching(/certificate of a worker, not of a coordinator/),
    });
    expect(await call('worker', target.coordinator.address)).toMatchObject({
      code: 'UNAVAILABLE',
      details: expect.stringMatching(/not of a worker/),
    });
  });
});

it('a worker with the certificate of a client ends with the reason', async () => {
  const worker = await startWorker({
    coordinator: target.coordinator.address,
    credentials: { tls: tlsOf(ours, 'client') },
    scratchDir: `${target.folder}/data/other-scratch`,
    slots: 1,
  });
  await expect(worker.ended).rejects.toMatchObject({
    code: 'permission-denied',
    message: expect.stringMatching(/refused this worker: the credentials shown are those of a client/),
  });
});

describe('the HTTP port', () => {
  const ask = (path: string, options: { cert?: string; key?: string; token?: string }) =>
    new Promise<number>((resolve, reject) => {
      const { token, ...pair } = options;
      const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
      const { ca } = tlsOf(ours, 'ca');
      get(
        `https://${target.coordinator.httpAddress}${path}`,
        { ...pair, ca, headers, agent: false },
        (answer) => {
          answer.resume();
          resolve(answer.statusCode ?? 0);
        },
      ).on('error', reject);
    });
  const pairOf = (made: MadeCertificate[], role: Name) => {
    const { cert, key } = tlsOf(made, role);
    return { cert, key };
  };

  it('is open to probes and to nobody else', async () => {
    expect(await ask('/healthz', {})).toBe(200);
    expect(await ask('/metrics', {})).toBe(401);
    expect(await ask('/metrics', pairOf(foreign, 'client'))).toBe(401);
    expect(await ask('/metrics', pairOf(ours, 'coordinator'))).toBe(401);
    expect(await ask('/metrics', { token: 'wrong-token-of-the-tests' })).toBe(401);
  });

  it('takes a certificate of a role, or a token', async () => {
    for (const shown of [pairOf(ours, 'client'), pairOf(ours, 'worker'), { token: clientToken }])
      expect(await ask('/metrics', shown)).toBe(200);
  });

  it('speaks no TLS before 1.2', async () => {
    const [host, port] = target.coordinator.httpAddress!.split(':');
    const socket = connectTls({
      host,
      port: Number(port),
      maxVersion: 'TLSv1.1',
      minVersion: 'TLSv1',
      rejectUnauthorized: false,
    });
    await expect(
      new Promise((resolve, reject) => socket.once('secureConnect', resolve).once('error', reject)),
    ).rejects.toThrow();
  });
});
