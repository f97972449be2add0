import { describe, expect, it } from 'vitest';
import { compileGuard, Guard, type Shown } from './guard.ts';
import { makeCertificates } from './make-certificates.ts';

const clientToken = 'client-0123456789';
const workerToken = 'worker-0123456789';
const made = await makeCertificates(['localhost'], 1, Date.now());
const [ca, coordinator, worker] = made as [(typeof made)[0], (typeof made)[0], (typeof made)[0]];
const nothing: Shown = { certificate: undefined, authorization: undefined };
const bearer = (token: string): Shown => ({ ...nothing, authorization: `Bearer ${token}` });
const certificateOf = (OU: string | string[] | undefined) =>
  ({ ...nothing, certificate: { subject: { CN: 'x', OU } } }) as Shown;

describe('without credentials', () => {
  it('everybody passes where a rule says who may, and nobody where none does', () => {
    for (const rule of ['client', 'worker', 'ticket', 'open'] as const)
      expect(Guard.open.refusal(rule, nothing)).toBeUndefined();
    expect(Guard.open.refusal(undefined, nothing)).toMatchObject({ code: 'unauthenticated' });
  });
});

describe('with tokens', () => {
  const guard = compileGuard({ clientToken, workerToken });

  it('the token decides the role', () => {
    expect(guard.refusal('client', bearer(clientToken))).toBeUndefined();
    expect(guard.refusal('worker', bearer(workerToken))).toBeUndefined();
    expect(guard.refusal('worker', bearer(clientToken))).toMatchObject({ code: 'permission-denied' });
    expect(guard.refusal('client', bearer('something-else-here'))).toMatchObject({ code: 'unauthenticated' });
    expect(guard.refusal('client', nothing)).toMatchObject({ code: 'unauthenticated' });
    expect(guard.refusal(undefined, bearer(clientToken))).toMatchObject({ code: 'unauthenticated' });
  });

  it('a certificate that nobody verified is worth nothing', () => {
    expect(guard.refusal('client', certificateOf('client'))).toMatchObject({ code: 'unauthenticated' });
  });
});

describe('with certificates', () => {
  const guard = compileGuard({
    tls: { ca: ca.cert, cert: coordinator.cert, key: coordinator.key },
    clientToken,
    workerToken,
  });

  it('the OU decides the role, and a token does not stand in', () => {
    expect(guard.refusal('client', certificateOf('client'))).toBeUndefined();
    expect(guard.refusal('client', certificateOf(['staff', 'client']))).toBeUndefined();
    expect(guard.refusal('ticket', certificateOf('worker'))).toBeUndefined();
    expect(guard.refusal('ticket', certificateOf('client'))).toMatchObject({ code: 'permission-denied' });
    expect(guard.refusal('client', bearer(clientToken))).toMatchObject({ code: 'unauthenticated' });
  });

  it.each(['coordinator', 'Client', 'clients', '', undefined])('the OU %j is no role', (unit) => {
    expect(guard.refusal('client', certificateOf(unit))).toMatchObject({
      code: 'unauthenticated',
      message: expect.stringMatching(/"x" names no role: its OU must be client or worker/),
    });
  });
});

describe('compileGuard refuses', () => {
  it.each([
    ['one token alone', { clientToken }, /MILLRACE_WORKER_TOKEN \(or --worker-token-file\) is missing/],
    ['the other alone', { workerToken }, /MILLRACE_CLIENT_TOKEN \(or --client-token-file\) is missing/],
    ['the same twice', { clientToken, workerToken: clientToken }, /are the same/],
    ['a CA alone', { tls: { ca: ca.cert } }, /give --tls-cert and --tls-key/],
    ['a certificate alone', { tls: { cert: worker.cert } }, /--tls-cert without --tls-key/],
    ['a key alone', { tls: { key: worker.key } }, /--tls-key without --tls-cert/],
    [
      "another's key",
      { tls: { cert: worker.cert, key: coordinator.key } },
      /--tls-key is not the key of --tls-cert/,
    ],
    [
      'a key for a certificate',
      { tls: { cert: worker.key, key: worker.key } },
      /--tls-cert.*not a certificate/,
    ],
    [
      'a certificate for a key',
      { tls: { cert: worker.cert, key: worker.cert } },
      /--tls-key.*not an unencrypted/,
    ],
    ['a file that is not there', { tls: { ca: '/none/ca.pem' } }, /--tls-ca.*no such file/],
  ])('%s', (_, options, why) => {
    expect(() => compileGuard(options)).toThrow(why);
  });

  it('never with the key in the message', () => {
    const secret = worker.key.split('\n')[1]!;
    for (const tls of [
      { cert: worker.cert, key: coordinator.key },
      { cert: worker.key, key: worker.key },
    ]) {
      expect(() => compileGuard({ tls })).toThrow();
      expect(() => compileGuard({ tls })).not.toThrow(secret);
    }
  });
});
