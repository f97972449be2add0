import { expect, test } from 'vitest';
import { environmentS3Access } from './s3-access.ts';

const keys = { AWS_ACCESS_KEY_ID: 'key', AWS_SECRET_ACCESS_KEY: 'secret' };

test('variables give the credentials and say so', async () => {
  const access = environmentS3Access({ ...keys, AWS_SESSION_TOKEN: 'token', AWS_REGION: 'eu-north-1' });
  expect(await access.credentials()).toEqual({
    accessKeyId: 'key',
    secretAccessKey: 'secret',
    sessionToken: 'token',
  });
  expect(await access.settings()).toEqual({
    endpoint: undefined,
    region: 'eu-north-1',
    credentialsFrom: 'AWS_ACCESS_KEY_ID',
  });
});

test('the endpoint of S3 goes before that of all services, and needs no region', async () => {
  const general = { AWS_ENDPOINT_URL: 'http://all:1' };
  expect(await environmentS3Access({ ...keys, ...general }).settings()).toMatchObject({
    endpoint: 'http://all:1',
    region: 'us-east-1',
  });
  const both = { ...general, AWS_ENDPOINT_URL_S3: 'https://s3:2' };
  expect(await environmentS3Access({ ...keys, ...both }).settings()).toMatchObject({
    endpoint: 'https://s3:2',
  });
});

test.each(['minio:9000', 'ftp://minio', 'http://user:marker@minio:9000'])(
  'the endpoint %s is refused with the name of its variable, and not repeated',
  async (endpoint) => {
    const access = environmentS3Access({ ...keys, AWS_ENDPOINT_URL_S3: endpoint });
    const error = await access.settings().catch((thrown) => thrown);
    expect(error).toMatchObject({ code: 'invalid-argument' });
    expect(error.message).toContain('AWS_ENDPOINT_URL_S3');
    expect(error.message).not.toContain('marker');
  },
);
