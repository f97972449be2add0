import { expect, test } from 'vitest';
import { parseAddress } from '../address.ts';
import { checkExposure } from './exposure.ts';

const check = (address: string, authenticates: boolean, encrypts: boolean) =>
  checkExposure(parseAddress(address, '--listen'), '--listen', { authenticates, encrypts }, 'MILLRACE_TOKEN');

test.each(['127.0.0.1:1', 'localhost:1', '[::1]:1'])('%s needs nothing', (address) => {
  expect(check(address, false, false)).toBeUndefined();
});

test.each(['0.0.0.0:1', '[::]:1', '10.0.0.1:1', 'example.org:1'])(
  '%s is refused without credentials, encrypted or not, naming what to set',
  (address) => {
    for (const encrypts of [false, true])
      expect(() => check(address, false, encrypts)).toThrow(
        expect.objectContaining({
          code: 'permission-denied',
          message: expect.stringMatching(/--listen .*without credentials; set MILLRACE_TOKEN/),
        }),
      );
    expect(check(address, true, false)).toMatch(/not encrypted.*--tls-cert/);
    expect(check(address, true, true)).toBeUndefined();
  },
);
