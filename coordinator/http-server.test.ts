import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, expect, test } from 'vitest';
import { createLog } from '../lib/log.ts';
import { compileGuard, Guard } from '../lib/security/guard.ts';
import { makeClusterView } from '../test/cluster-view-fixture.ts';
import { metricsRoutes, probeRoutes } from './http-routes.ts';
import { type HttpRoute, type HttpServer, startHttpServer } from './http-server.ts';
import { Metrics } from './metrics/metrics.ts';

const clientToken = 'client-token-0123456789';
const workerToken = 'worker-token-0123456789';

let server: HttpServer | undefined;
afterEach(() => server?.[Symbol.asyncDispose]());

const state = { leads: true, store: true };

async function start(guard = Guard.open, more: Record<string, HttpRoute> = {}): Promise<string> {
  Object.assign(state, { leads: true, store: true });
  const probes = probeRoutes({ isLeading: () => state.leads, isStoreReachable: () => state.store });
  server = await startHttpServer({
    listen: { host: '127.0.0.1', port: 0 },
    guard,
    log: createLog('test', 'silent'),
    routes: { ...probes, ...metricsRoutes(new Metrics('1'), makeClusterView), ...more },
  });
  return `http://${server.address}`;
}

test('it lives while it answers, and is ready while it leads and its store answers', async () => {
  const url = await start();
  expect((await fetch(`${url}/readyz`)).status).toBe(200);
  state.store = false;
  const notReady = await fetch(`${url}/readyz`);
  expect(notReady.status).toBe(503);
  expect(await notReady.text()).toBe('not ready: the store does not answer\n');
  state.leads = false;
  expect(await (await fetch(`${url}/readyz`)).text()).toContain('does not lead');
  expect((await fetch(`${url}/healthz`)).status).toBe(200);
});

test('metrics come in the format Prometheus asks for, without a guess at the type', async () => {
  const url = await start();
  const response = await fetch(`${url}/metrics?x=1`);
  expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
  expect(response.headers.get('x-content-type-options')).toBe('nosniff');
  expect(await response.text()).toContain('\nmr_jobs{state="MAPPING"} 0\n');
});

test('HEAD gives the headers alone, other methods are refused', async () => {
  const url = await start();
  const head = await fetch(`${url}/healthz`, { method: 'HEAD' });
  expect([head.status, head.headers.get('content-length'), await head.text()]).toEqual([200, '3', '']);
  for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS']) {
    const response = await fetch(`${url}/metrics`, { method });
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
  }
});

test.each(['/', '/metrics/', '/healthz/../metrics2', '/__proto__', '/constructor', '//healthz'])(
  'nothing is found at %s',
  async (path) => {
    expect((await fetch(`${await start()}${path}`)).status).toBe(404);
  },
);

test('with credentials set up, probes stay open and all else needs them', async () => {
  const url = await start(compileGuard({ clientToken, workerToken }));
  for (const path of ['/healthz', '/readyz']) expect((await fetch(url + path)).status).toBe(200);
  for (const path of ['/metrics', '/unknown']) {
    const response = await fetch(url + path);
    expect([response.status, response.headers.get('www-authenticate')]).toEqual([401, 'Bearer']);
  }
  const withToken = (token: string) => ({ headers: { authorization: `Bearer ${token}` } });
  expect((await fetch(`${url}/metrics`, withToken('wrong-token-0123456789'))).status).toBe(401);
  expect((await fetch(`${url}/metrics`, withToken(clientToken))).status).toBe(200);
  expect((await fetch(`${url}/unknown`, withToken(clientToken))).status).toBe(404);
});

test('an answer that fails is a 500 that tells nothing', async () => {
  const answer = () => {
    throw new Error('secret');
  };
  const response = await fetch(`${await start(Guard.open, { '/broken': { isOpen: true, answer } })}/broken`);
  expect(response.status).toBe(500);
  expect(await response.text()).not.toContain('secret');
});

test('a request with too long a path or headers is refused', async () => {
  const url = await start();
  expect((await fetch(`${url}/${'x'.repeat(9_000)}`)).status).toBe(431);
  expect((await fetch(`${url}/healthz`, { headers: { x: 'x'.repeat(9_000) } })).status).toBe(431);
});

test('what is no HTTP gets a 400', async () => {
  await start();
  const socket = connect(Number(server!.address.split(':')[1]), '127.0.0.1');
  socket.write('\x16\x03\x01 hello\r\n\r\n');
  expect(await text(socket)).toMatch(/^HTTP\/1\.1 400 /);
});

test('an address that is taken is named with its setting', async () => {
  await start();
  const [host = '', port] = server!.address.split(':');
  const again = startHttpServer({
    listen: { host, port: Number(port) },
    guard: Guard.open,
    log: createLog('test', 'silent'),
    routes: {},
  });
  await expect(again).rejects.toThrow(/cannot listen on 127\.0\.0\.1:\d+ \(--http\)/);
});
