import { ListBucketsCommand } from '@aws-sdk/client-s3';
import { expect, test } from 'vitest';
import { describeWithMinio } from './describe-with-minio.ts';
import { startMinio } from './start-minio.ts';

await describeWithMinio('MinIO of the tests', (minio) => {
  test('answers its root user and makes buckets', async () => {
    const bucket = await minio().makeBucket();
    const { Buckets } = await minio().client.send(new ListBucketsCommand({}));
    expect(Buckets?.map(({ Name }) => Name)).toContain(bucket);
  });

  test('two run beside each other, and one that is disposed of is gone', async (context) => {
    if (minio().pid === undefined) context.skip();
    const other = await startMinio();
    expect(other.endpoint).not.toBe(minio().endpoint);
    await other[Symbol.asyncDispose]();
    expect(() => process.kill(other.pid ?? 0, 0)).toThrow('ESRCH');
    await expect(fetch(other.endpoint)).rejects.toThrow();
  });
});
