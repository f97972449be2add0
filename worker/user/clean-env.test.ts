import { expect, test } from 'vitest';
import { cleanEnv } from './clean-env.ts';

test.each([
  'MILLRACE_TOKEN',
  'MILLRACE_TOKEN_FILE',
  'MILLRACE_CLIENT_TOKEN',
  'MILLRACE_WORKER_TOKEN_FILE',
  'MILLRACE_TLS_KEY',
  'MILLRACE_TLS_CERT',
  'MILLRACE_TLS_CA',
  'AWS_ACCESS_KEY_ID',
  'AWS_SECRET_ACCESS_KEY',
  'AWS_SESSION_TOKEN',
  'AWS_ENDPOINT_URL_S3',
  'MINIO_ROOT_PASSWORD',
  'GITHUB_TOKEN',
  'DB_PASSWD',
  'STRIPE_API_KEY',
  'my_secret',
])('user code does not see %s', (name) => {
  expect(cleanEnv({ [name]: 'x' })).toEqual({});
});

test('user code sees the rest as it is', () => {
  const env = { PATH: '/bin', HOME: '/home/me', TZ: 'UTC', MILLRACE_SLOTS: '2', LANG: 'C' };
  expect(cleanEnv(env)).toEqual(env);
});
