/** Every method of every service, asked by who may not: refused by status, and nothing has changed. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ruleOf } from '../../lib/security/role.ts';
import { callRaw, coordinatorMethods, shuffleMethods } from './raw-call.ts';
import { clientToken, Target, workerToken } from './target.ts';

let target: Target;
let before: string;

beforeAll(async () => {
  target = await Target.startWithTokens();
  before = await target.picture();
}, 30_000);
afterAll(() => target[Symbol.asyncDispose]());

const tokenOf = { client: clientToken, worker: workerToken };
const otherRole = { client: workerToken, worker: clientToken };

describe.each(coordinatorMethods)('$path', (method) => {
  const rule = ruleOf(method.path) as 'client' | 'worker';

  it.each([
    ['no token', undefined, 'UNAUTHENTICATED', /no token was shown.*MILLRACE_TOKEN/],
    ['a wrong token', 'wrong-token-of-the-tests', 'UNAUTHENTICATED', /not one of this cluster/],
    ['a part of the token', tokenOf[rule].slice(0, -1), 'UNAUTHENTICATED', /not one of this cluster/],
    ['the token of the other role', otherRole[rule], 'PERMISSION_DENIED', /those of a (client|worker), and/],
  ])('with %s', async (_, token, code, details) => {
    const outcome = await callRaw({ address: target.coordinator.address, method, token });
    expect(outcome).toEqual({ code, details: expect.stringMatching(details), received: [] });
    expect(await target.picture()).toBe(before);
  });
});

it.each(shuffleMethods)('$path without a ticket is refused, whatever token is shown', async (method) => {
  const request = { jobId: 'job-1', ticket: '' };
  for (const token of [undefined, workerToken, clientToken]) {
    const address = target.worker.fetchAddress;
    const outcome = await callRaw({ address, method, token, messages: [request] });
    expect(outcome).toEqual({ code: 'UNAUTHENTICATED', details: 'no ticket was shown', received: [] });
  }
  expect(await target.picture()).toBe(before);
});

it('a method that there is not is not there for anybody', async () => {
  const method = { ...coordinatorMethods[0]!, path: '/millrace.v1.Client/Become' };
  const outcome = await callRaw({ address: target.coordinator.address, method, token: clientToken });
  expect(outcome.code).toBe('UNIMPLEMENTED');
});

describe('HTTP', () => {
  const get = (path: string, headers: Record<string, string> = {}, method = 'GET') =>
    fetch(`http://${target.coordinator.httpAddress}${path}`, { headers, method });

  it.each([
    ['/metrics', {}, 401],
    ['/metrics', { authorization: 'Bearer wrong-token-of-the-tests' }, 401],
    ['/metrics', { authorization: `Basic ${Buffer.from(`x:${clientToken}`).toString('base64')}` }, 401],
    ['/', {}, 401],
    ['/../store/', {}, 401],
    ['/jobs', { authorization: `Bearer ${clientToken}` }, 404],
  ])('%s with %j answers %i', async (path, headers, status) => {
    const answer = await get(path, headers);
    expect(answer.status).toBe(status);
    expect(await answer.text()).not.toMatch(/mr_|token-of-the-tests/);
    expect(await target.picture()).toBe(before);
  });

  it('probes need nothing, and either role may read', async () => {
    expect((await get('/healthz')).status).toBe(200);
    for (const token of [clientToken, workerToken])
      expect((await get('/metrics', { authorization: `Bearer ${token}` })).status).toBe(200);
  });

  it('what changes things is not served', async () => {
    const headers = { authorization: `Bearer ${clientToken}` };
    expect((await get('/readyz', headers, 'POST')).status).toBe(405);
    expect(await target.picture()).toBe(before);
  });
});
