import { MessageChannel } from 'node:worker_threads';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { MillraceError } from '../../lib/errors.ts';
import type { S3Access } from '../../lib/store/s3/s3-access.ts';
import { askedS3Access, serveS3Access } from './s3-access-channel.ts';

let channel: MessageChannel;
beforeEach(() => {
  channel = new MessageChannel();
});
afterEach(() => channel.port1.close());

const settings = { endpoint: 'http://minio:9000', region: 'us-east-1', credentialsFrom: 'AWS_ACCESS_KEY_ID' };

test('a thread that asks again gets what is good by then', async () => {
  let asked = 0;
  const access: S3Access = {
    settings: async () => settings,
    credentials: async () => ({
      accessKeyId: `key-${++asked}`,
      secretAccessKey: 'secret',
      expiration: new Date(asked),
    }),
  };
  serveS3Access(access, channel.port1);
  const thread = askedS3Access(Promise.resolve(channel.port2));
  expect(await thread.settings()).toEqual(settings);
  expect(await thread.credentials()).toMatchObject({ accessKeyId: 'key-1', expiration: new Date(1) });
  expect(await thread.credentials()).toMatchObject({ accessKeyId: 'key-2' });
});

test('what the main thread cannot find out is the error of the thread', async () => {
  const failing = async () => {
    throw new MillraceError('permission-denied', 'no AWS credentials were found');
  };
  serveS3Access({ settings: async () => settings, credentials: failing }, channel.port1);
  const thread = askedS3Access(Promise.resolve(channel.port2));
  await expect(thread.credentials()).rejects.toMatchObject({
    code: 'permission-denied',
    message: 'no AWS credentials were found',
  });
  expect(await thread.settings()).toEqual(settings);
});
