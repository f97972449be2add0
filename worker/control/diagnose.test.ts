/** Against real servers of other workers, and real wrong ones. */
import { Server, ServerCredentials } from '@grpc/grpc-js';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemClock } from '../../lib/clock.ts';
import { toWorkerId, type WorkerId } from '../../lib/ids.ts';
import { createLog } from '../../lib/log.ts';
import { credentialsToWorker, noCredentials } from '../../lib/security/credentials.ts';
import { diagnoseJobId } from '../../lib/security/ticket.ts';
import { createStores, memoryStore } from '../../lib/store/resolve.ts';
import { makeTickets } from '../../test/tickets.ts';
import { PeerChannels } from '../shuffle/fetch.ts';
import { MapOutputs } from '../shuffle/outputs.ts';
import { type DiagnosedPeer, diagnose } from './diagnose.ts';
import { type ShuffleServer, serveShuffle } from './serve-shuffle.ts';

const worker = toWorkerId('w2');
const host = 'here';
let tickets: ReturnType<typeof makeTickets>;
let peer: ShuffleServer;

beforeEach(async () => {
  tickets = makeTickets();
  peer = await serve(worker);
});
afterEach(() => peer.close());

function serve(workerId: WorkerId): Promise<ShuffleServer> {
  return serveShuffle({
    listen: { host: '127.0.0.1', port: 0 },
    tls: undefined,
    outputs: new MapOutputs(),
    ticketKeys: tickets.keys,
    workerId: () => workerId,
    clock: systemClock,
    log: createLog('test', 'silent'),
  });
}

function ask(
  peers: readonly DiagnosedPeer[],
  storeUri = '',
  ticket = tickets.issuer.ticketOf(diagnoseJobId),
) {
  return diagnose(
    { id: 'd1', storeUri, peers, ticket },
    {
      clock: systemClock,
      stores: createStores(),
      host,
      openChannels: () => new PeerChannels(credentialsToWorker(noCredentials)),
    },
  );
}

test('a peer that answers as itself is fine', async () => {
  expect(await ask([{ worker, host, fetchAddress: peer.address }])).toMatchObject([
    { check: 'fetch from w2', ok: true, detail: `${peer.address} answers as w2` },
  ]);
});

test('an address that leads to another worker names both, and the setting', async () => {
  const findings = await ask([{ worker: toWorkerId('w3'), host, fetchAddress: peer.address }]);
  expect(findings).toMatchObject([{ check: 'fetch from w3', ok: false }]);
  expect(findings[0]!.detail).toMatch(
    /answered by worker w2, not by w3: --advertise \(MILLRACE_ADVERTISE\) of worker w3/,
  );
});

test.each([
  ['a port where nothing listens', '127.0.0.1:1', /nothing listens at 127\.0\.0\.1:1: --advertise/],
  ['a name that nobody knows', 'worker.invalid:7452', /the name in worker\.invalid:7452 is not known here/],
])('%s', async (_, fetchAddress, message) => {
  const [finding] = await ask([{ worker, host, fetchAddress }]);
  expect(finding).toMatchObject({ ok: false, detail: expect.stringMatching(message) });
});

test('a loopback address of another machine leads to oneself, and that is said', async () => {
  const [finding] = await ask([{ worker, host: 'there', fetchAddress: '127.0.0.1:1' }]);
  expect(finding!.detail).toMatch(
    /leads every machine to itself; start worker w2 on there with --listen 0\.0\.0\.0:PORT/,
  );
});

test('what is no worker, and a worker of another cluster', async () => {
  const stranger = new Server();
  const port = await new Promise<number>((resolve) =>
    stranger.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (_error, bound) => resolve(bound)),
  );
  try {
    const [noWorker] = await ask([{ worker, host, fetchAddress: `127.0.0.1:${port}` }]);
    expect(noWorker!.detail).toMatch(/is no Millrace worker of this version/);
  } finally {
    stranger.forceShutdown();
  }
  const foreign = makeTickets().issuer.ticketOf(diagnoseJobId);
  const [refused] = await ask([{ worker, host, fetchAddress: peer.address }], '', foreign);
  expect(refused!.detail).toMatch(/refuses this coordinator's ticket .*another cluster/);
});

test('the store: what the coordinator wrote, something else, nothing', async () => {
  const store = memoryStore('diagnose');
  await store.putIfAbsent('good', Buffer.from('d1'));
  await store.putIfAbsent('other', Buffer.from('something else'));
  const read = async (uri: string) => (await ask([], uri))[0]!;
  expect(await read('mem://diagnose/good')).toMatchObject({ check: 'store: read', ok: true });
  expect((await read('mem://diagnose/other')).detail).toMatch(/holds something else here.*the same store/);
  expect((await read('mem://diagnose/none')).detail).toMatch(/does not see what the coordinator wrote/);
  expect((await read('file:///nowhere/none')).detail).toMatch(
    /a folder must be on a disk that all machines share/,
  );
});
