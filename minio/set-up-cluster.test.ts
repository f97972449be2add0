import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteBucketCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { beforeAll, describe, expect, it } from 'vitest';
import { describeWithMinio } from '../test/minio/describe-with-minio.ts';
import { accessKeyOf, type UserName, userNames } from './policies.ts';
import { setUpCluster } from './set-up-cluster.ts';

const bundle = 'jobs/4be1/bundle-00ff.mjs';
const logEntry = 'log/000000000001';

await describeWithMinio('the users of a cluster on MinIO', (minio) => {
  const newSecrets = (): Record<UserName, string> => ({
    coordinator: randomBytes(20).toString('hex'),
    worker: randomBytes(20).toString('hex'),
    client: randomBytes(20).toString('hex'),
    reader: randomBytes(20).toString('hex'),
  });
  const setUp = (secrets: Record<UserName, string>, root = minio().credentials) =>
    setUpCluster({ endpoint: minio().endpoint, ...root, secrets, waitMs: 0, say: () => undefined });
  const clientOf = (user: UserName, secrets: Record<UserName, string>) =>
    new S3Client({
      endpoint: minio().endpoint,
      region: 'us-east-1',
      forcePathStyle: true,
      maxAttempts: 1,
      credentials: { accessKeyId: accessKeyOf(user), secretAccessKey: secrets[user] },
    });

  const clients = {} as Record<UserName, S3Client>;
  beforeAll(async () => {
    const secrets = newSecrets();
    await setUp(secrets);
    for (const user of userNames) clients[user] = clientOf(user, secrets);
    const objects: [string, string][] = [
      ['input', 'a'],
      ['output', 'a'],
      ['millrace', logEntry],
      ['millrace', bundle],
    ];
    for (const [Bucket, Key] of objects) {
      await minio().client.send(new PutObjectCommand({ Bucket, Key, Body: 'there' }));
    }
    return () => {
      for (const client of Object.values(clients)) client.destroy();
    };
  });

  /** `yes`, or the refusal of the store. A thing that is not there is a `yes`: it may be asked for. */
  const may: Record<string, (client: S3Client, bucket: string, key: string) => Promise<unknown>> = {
    get: (client, Bucket, Key) => client.send(new GetObjectCommand({ Bucket, Key })),
    put: (client, Bucket, Key) => client.send(new PutObjectCommand({ Bucket, Key, Body: 'mine' })),
    delete: (client, Bucket, Key) => client.send(new DeleteObjectCommand({ Bucket, Key })),
    list: (client, Bucket, Prefix) => client.send(new ListObjectsV2Command({ Bucket, Prefix })),
    stage: stageAndAbort,
    'delete bucket': (client, Bucket) => client.send(new DeleteBucketCommand({ Bucket })),
  };
  const answer = async (user: UserName, verb: string, bucket: string, key: string) => {
    try {
      await may[verb]!(clients[user], bucket, key);
      return 'yes';
    } catch (error) {
      return error instanceof Error ? error.name : String(error);
    }
  };

  const own = 'jobs/4be1/own';
  const allowed: [UserName, string, string, string][] = [
    ['coordinator', 'put', 'millrace', 'log/000000000002'],
    ['coordinator', 'delete', 'millrace', 'log/000000000002'],
    ['coordinator', 'get', 'input', 'a'],
    ['coordinator', 'list', 'input', ''],
    ['coordinator', 'put', 'output', '_SUCCESS'],
    ['coordinator', 'stage', 'output', 'part-r-00000'],
    ['coordinator', 'delete', 'output', '_SUCCESS'],
    ['worker', 'get', 'input', 'a'],
    ['worker', 'list', 'input', ''],
    ['worker', 'get', 'output', 'a'],
    ['worker', 'stage', 'output', 'part-r-00000'],
    ['worker', 'get', 'millrace', bundle],
    ['worker', 'put', 'millrace', 'jobs/j1/maps/m0.0.e1.json'],
    ['worker', 'get', 'millrace', 'jobs/j1/maps/m0.0.e1.json'],
    ['worker', 'put', 'millrace', 'jobs/4be1/kept/r0/0-000001'],
    ['client', 'put', 'input', 'b'],
    ['client', 'get', 'output', 'a'],
    ['client', 'get', 'millrace', bundle],
    ['client', 'stage', 'output', 'part-r-00001'],
    ['reader', 'get', 'output', 'a'],
    ['reader', 'list', 'millrace', 'jobs/'],
    ['reader', 'get', 'millrace', bundle],
  ];
  it.each(allowed)('%s may %s in %s: %s', async (user, verb, bucket, key) => {
    expect(await answer(user, verb, bucket, key)).toBe('yes');
  });

  const refused: [UserName, string, string, string][] = [
    ['coordinator', 'put', 'input', 'a'],
    ['coordinator', 'delete', 'input', 'a'],
    ['coordinator', 'delete bucket', 'output', ''],
    ['worker', 'put', 'input', 'a'],
    ['worker', 'delete', 'input', 'a'],
    ['worker', 'delete', 'output', 'a'],
    ['worker', 'get', 'millrace', logEntry],
    ['worker', 'delete', 'millrace', logEntry],
    ['worker', 'put', 'millrace', logEntry],
    ['worker', 'put', 'millrace', own],
    ['worker', 'delete', 'millrace', bundle],
    ['worker', 'list', 'millrace', ''],
    ['client', 'put', 'millrace', logEntry],
    ['client', 'get', 'millrace', logEntry],
    ['client', 'delete', 'millrace', bundle],
    ['reader', 'put', 'input', 'c'],
    ['reader', 'put', 'output', 'c'],
    ['reader', 'stage', 'output', 'c'],
    ['reader', 'delete', 'output', 'a'],
    ['reader', 'get', 'millrace', logEntry],
    ['reader', 'put', 'millrace', own],
  ];
  it.each(refused)('%s may not %s in %s: %s', async (user, verb, bucket, key) => {
    expect(await answer(user, verb, bucket, key)).toBe('AccessDenied');
  });

  describe('set up again', () => {
    it('renews the secrets and keeps what is in the buckets', async () => {
      const secrets = newSecrets();
      await setUp(secrets);
      const renewed = clientOf('worker', secrets);
      const { Body } = await renewed.send(new GetObjectCommand({ Bucket: 'millrace', Key: bundle }));
      expect(await Body?.transformToString()).toBe('there');
      renewed.destroy();
      expect(await answer('worker', 'get', 'input', 'a')).toBe('SignatureDoesNotMatch');
    });
  });

  it('says that the root credentials are wrong', async () => {
    const root = { ...minio().credentials, secretAccessKey: 'not-the-secret-of-root' };
    await expect(setUp(newSecrets(), root)).rejects.toMatchObject({ code: 'permission-denied' });
  });
});

it('gives up on a MinIO that does not answer, and names the setting', async () => {
  const gone = { endpoint: 'http://127.0.0.1:1', accessKeyId: 'a', secretAccessKey: 'b' };
  const secrets = { coordinator: '', worker: '', client: '', reader: '' };
  await expect(setUpCluster({ ...gone, secrets, waitMs: 0, say: () => undefined })).rejects.toMatchObject({
    code: 'unavailable',
    message: expect.stringContaining('AWS_ENDPOINT_URL_S3'),
  });
});

it('the program names the setting that is missing or too short', () => {
  const program = fileURLToPath(new URL('set-up.ts', import.meta.url));
  const start = (env: Record<string, string>) => {
    const { status, stderr } = spawnSync(process.execPath, [program], { encoding: 'utf8', env });
    return { status, stderr };
  };
  const root = {
    AWS_ENDPOINT_URL_S3: 'http://127.0.0.1:1',
    AWS_ACCESS_KEY_ID: 'root',
    AWS_SECRET_ACCESS_KEY: 'secret',
  };
  expect(start({})).toEqual({ status: 2, stderr: expect.stringContaining('AWS_ENDPOINT_URL_S3 is not set') });
  expect(start({ ...root, S3_COORDINATOR_SECRET: 'short' })).toEqual({
    status: 2,
    stderr: expect.stringContaining('S3_COORDINATOR_SECRET must have at least 16 characters'),
  });
});

async function stageAndAbort(client: S3Client, Bucket: string, Key: string): Promise<void> {
  const { UploadId } = await client.send(new CreateMultipartUploadCommand({ Bucket, Key }));
  const part = await client.send(new UploadPartCommand({ Bucket, Key, UploadId, PartNumber: 1, Body: 'x' }));
  expect(part.ETag).toBeDefined();
  await client.send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId }));
  await expect(
    client.send(
      new CompleteMultipartUploadCommand({
        Bucket,
        Key,
        UploadId,
        MultipartUpload: { Parts: [{ PartNumber: 1, ETag: part.ETag }] },
      }),
    ),
  ).rejects.toMatchObject({ name: 'NoSuchUpload' });
}
