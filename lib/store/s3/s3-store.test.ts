import {
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { beforeEach, expect, test } from 'vitest';
import { describeWithMinio } from '../../../test/minio/describe-with-minio.ts';
import { collectBytes } from '../../iterables.ts';
import { createStores } from '../resolve.ts';
import type { Store } from '../store.ts';
import { S3Store } from './s3-store.ts';

const MiB = 1024 * 1024;

await describeWithMinio('the S3 store on MinIO', (minio) => {
  let bucket: string;
  let store: Store;

  beforeEach(async () => {
    bucket = await minio().makeBucket();
    store = createStores({ s3: minio().access() }).locate(`s3://${bucket}/`).store;
  });

  const put = (key: string, body: string) =>
    minio().client.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: body }));
  const keys = async (prefix: string) => {
    const found: string[] = [];
    for await (const { key } of store.list(prefix)) found.push(key);
    return found;
  };
  /** MinIO lists them by exact key only. */
  const pending = async (key: string) => {
    const answer = await minio().client.send(
      new ListMultipartUploadsCommand({ Bucket: bucket, Prefix: key }),
    );
    return answer.Uploads?.length ?? 0;
  };

  test('a listing goes on over pages', async () => {
    const names = Array.from({ length: 2_100 }, (_, index) => `logs/${String(index).padStart(5, '0')}`);
    for (let at = 0; at < names.length; at += 50) {
      await Promise.all(names.slice(at, at + 50).map((name) => put(name, name)));
    }
    expect(await keys('logs/')).toEqual(names);
    expect(await keys('logs/020')).toHaveLength(100);
  });

  test('keys that XML cannot hold are listed and read; marks of empty folders are not listed', async () => {
    const odd = ['a\tb', 'a\nb', 'a&<b>', 'a+b c%2F'];
    for (const key of odd) await put(key, key);
    await put('folder/', '');
    expect(await keys('')).toEqual(odd.toSorted());
    for (const key of odd) expect((await collectBytes(store.read(key))).toString()).toBe(key);
  });

  test('of 100 racing create-only puts exactly one wins', async () => {
    const names = Array.from({ length: 100 }, (_, index) => `writer ${index}`);
    const wins = await Promise.all(names.map((name) => store.putIfAbsent('race', Buffer.from(name))));
    const winners = names.filter((_, index) => wins[index]);
    expect(winners).toEqual([(await collectBytes(store.read('race'))).toString()]);
  });

  test('an upload of many parts is whole, and pending until it is published', async () => {
    const piece = Buffer.alloc(1 * MiB + 7, 'abcdefghij');
    const writer = await store.stage('out/part', 'job-1');
    for (let at = 0; at < 40; at++) await writer.write(piece);
    const staged = await writer.seal();
    expect(await pending('out/part')).toBe(1);
    expect(await keys('')).toEqual([]);
    await store.publish(staged);
    expect(await pending('out/part')).toBe(0);
    const expected = Buffer.concat(Array.from({ length: 40 }, () => piece));
    expect((await collectBytes(store.read('out/part'))).equals(expected)).toBe(true);
  });

  test('discarding, aborting and sweeping leave no pending upload', async () => {
    const started = async (key: string) => {
      const writer = await store.stage(key, 'job-1');
      await writer.write(Buffer.alloc(9 * MiB, 'x'));
      return writer;
    };
    const [discarded, aborted] = [await started('discarded'), await started('aborted')];
    await store.discard(await discarded.seal());
    await aborted.abort();
    for (const key of ['swept', 'swept', 'swept-not']) await started(key);
    expect(await pending('swept')).toBe(2);
    await store.sweep('', 'job-1', ['swept']);
    const left = await Promise.all(['discarded', 'aborted', 'swept', 'swept-not'].map(pending));
    expect(left).toEqual([0, 0, 0, 1]);
  });

  test('as on AWS, where each part has a checksum, the upload and its completion name it', async () => {
    const { endpoint, credentials } = minio();
    const client = new S3Client({ endpoint, credentials, region: 'us-east-1', forcePathStyle: true });
    const settings = { endpoint: undefined, region: 'us-east-1', credentialsFrom: 'AWS_ACCESS_KEY_ID' };
    const aws = new S3Store(bucket, { client, once: client, settings });
    const content = Buffer.alloc(9 * MiB, 'x');
    const writer = await aws.stage('a', 'job-1');
    await writer.write(content);
    await aws.publish(await writer.seal());
    const { ChecksumCRC32 } = await client.send(
      new HeadObjectCommand({ Bucket: bucket, Key: 'a', ChecksumMode: 'ENABLED' }),
    );
    // Of the checksums of two parts.
    expect(ChecksumCRC32).toMatch(/-2$/);
    expect((await collectBytes(aws.read('a'))).equals(content)).toBe(true);
    client.destroy();
  });

  test('what a job writes says which job', async () => {
    const writer = await store.stage('a', 'job-1');
    await store.publish(await writer.seal());
    const { Metadata } = await minio().client.send(new HeadObjectCommand({ Bucket: bucket, Key: 'a' }));
    expect(Metadata).toMatchObject({ 'millrace-job': 'job-1' });
  });
});
