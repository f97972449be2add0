/** The S3 store against a real MinIO behind a proxy that breaks things: what real stores and networks do, each once seen to hurt. */
import { ListMultipartUploadsCommand } from '@aws-sdk/client-s3';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { MillraceError } from '../../lib/errors.ts';
import { collectBytes } from '../../lib/iterables.ts';
import { createStores } from '../../lib/store/resolve.ts';
import type { Store } from '../../lib/store/store.ts';
import { describeWithMinio } from '../minio/describe-with-minio.ts';
import { FaultProxy } from './fault-proxy.ts';

const MiB = 1024 * 1024;
/** Longer than a healthy MinIO is silent on a loaded machine. */
const socketTimeoutMs = 3_000;

await describeWithMinio('the S3 store in trouble', (minio) => {
  let proxy: FaultProxy;
  let bucket: string;
  /** Through the proxy. */
  let store: Store;
  /** Past it. */
  let direct: Store;
  let outcomes: string[];

  beforeEach(async () => {
    proxy = await FaultProxy.start(minio().endpoint);
    bucket = await minio().makeBucket();
    outcomes = [];
    store = createStores({
      s3: minio().access(proxy.endpoint),
      socketTimeoutMs,
      onRequest: (operation, outcome) => outcomes.push(`${operation} ${outcome}`),
    }).locate(`s3://${bucket}/`).store;
    direct = createStores({ s3: minio().access() }).locate(`s3://${bucket}/`).store;
  });
  afterEach(() => proxy[Symbol.asyncDispose]());

  const stage = async (key: string, content: Uint8Array | string) => {
    const writer = await store.stage(key, 'job-1');
    await writer.write(Buffer.from(content));
    return await writer.seal();
  };
  const put = async (key: string, content: Uint8Array | string) => {
    const writer = await direct.stage(key, 'job-1');
    await writer.write(Buffer.from(content));
    await direct.publish(await writer.seal());
  };
  const textOf = async (key: string) => (await collectBytes(direct.read(key))).toString();
  const pending = async (key: string) => {
    const answer = await minio().client.send(
      new ListMultipartUploadsCommand({ Bucket: bucket, Prefix: key }),
    );
    return answer.Uploads?.length ?? 0;
  };
  const errorOf = async (action: Promise<unknown>): Promise<MillraceError> => {
    const error = await action.then(
      () => new Error('it succeeded'),
      (thrown: unknown) => thrown,
    );
    if (error instanceof MillraceError) return error;
    throw error;
  };

  test('a refusal names bucket, key and where the credentials are from, never the secret', async () => {
    const access = minio().access();
    const wrong = { accessKeyId: minio().credentials.accessKeyId, secretAccessKey: 'marker-secret' };
    const { store: refused } = createStores({ s3: { ...access, credentials: async () => wrong } }).locate(
      `s3://${bucket}/`,
    );
    const attempts = [
      () => refused.head('a/b'),
      () => collectBytes(refused.read('a/b')),
      () => refused.stage('a/b', 'job-1'),
      () => refused.putIfAbsent('a/b', Buffer.from('x')),
    ];
    for (const attempt of attempts) {
      const error = await errorOf(attempt());
      expect(error).toMatchObject({ code: 'permission-denied' });
      expect(error.message).toContain(`s3://${bucket}/a/b`);
      expect(error.message).toContain('AWS_ACCESS_KEY_ID');
      expect(`${error.message} ${JSON.stringify(error)}`).not.toContain('marker-secret');
    }
  });

  test('a bucket that is not there is named, with the endpoint, by every method', async () => {
    const { store: lost } = createStores({ s3: minio().access() }).locate('s3://no-such-bucket/');
    const attempts = [
      () => lost.head('a'),
      () => collectBytes(lost.read('a')),
      () => lost.list('')[Symbol.asyncIterator]().next(),
      () => lost.stage('a', 'job-1'),
      () => lost.putIfAbsent('a', Buffer.from('x')),
      () => lost.remove('a'),
    ];
    for (const attempt of attempts) {
      const error = await errorOf(attempt());
      expect(error.code).toBe('not-found');
      expect(error.message).toContain(`no bucket no-such-bucket at ${minio().endpoint}`);
      expect(error.message).toContain('AWS_ENDPOINT_URL_S3');
    }
  });

  test('an endpoint where nobody listens is unavailable and named', async () => {
    const gone = await FaultProxy.start(minio().endpoint);
    const { endpoint } = gone;
    await gone[Symbol.asyncDispose]();
    const { store: nobody } = createStores({ s3: minio().access(endpoint) }).locate(`s3://${bucket}/`);
    const error = await errorOf(nobody.head('a'));
    expect(error).toMatchObject({ code: 'unavailable' });
    expect(error.message).toContain(endpoint);
    expect(error.message).toContain('AWS_ENDPOINT_URL_S3');
  });

  test("the console's port is not taken for S3", async (context) => {
    const { consoleEndpoint } = minio();
    if (consoleEndpoint === undefined) return context.skip();
    const { store: wrong } = createStores({ s3: minio().access(consoleEndpoint) }).locate(`s3://${bucket}/`);
    const error = await errorOf(wrong.list('')[Symbol.asyncIterator]().next());
    expect(error.code).toBe('store-failed');
    expect(error.message).toContain("not the console's");
  });

  test('a store that asks to slow down is asked again', async () => {
    proxy.fail('CreateMultipartUpload', { kind: 'answer', status: 503, code: 'SlowDown' });
    proxy.fail('UploadPart', { kind: 'answer', status: 503, code: 'SlowDownWrite' }, { times: 2 });
    proxy.fail('CompleteMultipartUpload', { kind: 'answer', status: 503, code: 'SlowDown' });
    await store.publish(await stage('a', 'content'));
    expect(await textOf('a')).toBe('content');
    expect(outcomes.filter((outcome) => outcome === 'UploadPart 503')).toHaveLength(2);
    expect(outcomes.filter((outcome) => outcome === 'UploadPart 200')).toHaveLength(1);
  });

  test('a store that keeps asking to slow down is unavailable in the end', async () => {
    proxy.fail('HeadObject', { kind: 'answer', status: 503, code: 'SlowDown' }, { times: 100 });
    expect(await errorOf(store.head('a'))).toMatchObject({ code: 'unavailable' });
  });

  test('a patient reader outlasts a store that is away for longer than requests are tried otherwise', async () => {
    await put('a', 'content');
    proxy.fail(
      'GetObject',
      { kind: 'answer', status: 503, code: 'XMinioServerNotInitialized' },
      { times: 5 },
    );
    const s3 = minio().access(proxy.endpoint);
    const { store: patient } = createStores({ s3, patienceMs: 60_000 }).locate(`s3://${bucket}/`);
    expect((await collectBytes(patient.read('a'))).toString()).toBe('content');
    expect(proxy.count('GetObject')).toBe(6);
  });

  const patterned = (bytes: number) => {
    const content = Buffer.alloc(bytes);
    for (let at = 0; at < bytes; at += 4) content.writeUInt32LE((at * 2_654_435_761) >>> 0, at);
    return content;
  };

  test.each(['cut-body', 'reset-body'] as const)(
    'a body that breaks is taken up where it stopped, whichever range it was: %s',
    async (kind) => {
      const content = patterned(20 * MiB);
      await put('large', content);
      proxy.fail('GetObject', { kind, afterBytes: 100_000 });
      proxy.fail('GetObject', { kind, afterBytes: 3 * MiB });
      proxy.fail('GetObject', { kind, afterBytes: 7 });
      expect((await collectBytes(store.read('large'))).equals(content)).toBe(true);
      // Three ranges, and again for each break.
      expect(proxy.count('GetObject')).toBe(3 + 3);
    },
  );

  test('a body that breaks again and again without a byte is given up, and says where', async () => {
    await put('a', patterned(1 * MiB));
    proxy.fail('GetObject', { kind: 'cut-body', afterBytes: 300_000 });
    proxy.fail('GetObject', { kind: 'cut-body', afterBytes: 0 }, { times: 100 });
    const error = await errorOf(collectBytes(store.read('a')));
    expect(error.code).toBe('unavailable');
    expect(error.message).toMatch(/s3:\/\/\S+\/a broke off 6 times at byte 300000 of 1048576/);
  });

  test('a body that never goes on is cut by the socket timeout and taken up', async () => {
    const content = patterned(2 * MiB);
    await put('a', content);
    proxy.fail('GetObject', { kind: 'stall-body', afterBytes: 700_000 });
    expect((await collectBytes(store.read('a'))).equals(content)).toBe(true);
    expect(proxy.count('GetObject')).toBe(2);
    expect(proxy.requests.at(-1)?.range).toBe('bytes=700000-2097151');
  });

  test('an aborted read of a body that never goes on ends at once', async () => {
    await put('a', patterned(2 * MiB));
    proxy.fail('GetObject', { kind: 'stall-body', afterBytes: 700_000 });
    const controller = new AbortController();
    const reading = (async () => {
      for await (const _ of store.read('a', { signal: controller.signal })) controller.abort();
    })();
    expect(await errorOf(reading)).toMatchObject({ code: 'cancelled' });
  });

  test('an object that is replaced between two ranges is input-changed', async () => {
    await put('large', patterned(20 * MiB));
    const replace = { kind: 'first', run: () => put('large', patterned(21 * MiB)) } as const;
    proxy.fail('GetObject', replace, { skip: 1 });
    expect(await errorOf(collectBytes(store.read('large')))).toMatchObject({ code: 'input-changed' });
  });

  test('an object that is replaced while its body is broken is input-changed', async () => {
    await put('a', patterned(1 * MiB));
    proxy.fail('GetObject', { kind: 'reset-body', afterBytes: 100_000 });
    proxy.fail('GetObject', { kind: 'first', run: () => put('a', 'other') });
    expect(await errorOf(collectBytes(store.read('a')))).toMatchObject({ code: 'input-changed' });
  });

  test('a completion whose answer is lost counts when the object is there', async () => {
    const staged = await stage('a', 'content');
    proxy.fail('CompleteMultipartUpload', { kind: 'lose-answer' });
    await store.publish(staged);
    expect(proxy.count('CompleteMultipartUpload')).toBe(2);
    expect(await textOf('a')).toBe('content');
  });

  test('a completion that is never answered counts when the object is there', async () => {
    const staged = await stage('a', 'content');
    proxy.fail('CompleteMultipartUpload', { kind: 'keep-answer' });
    await store.publish(staged);
    expect(await textOf('a')).toBe('content');
  });

  test('a completion that fails inside a 200 is asked for again', async () => {
    const staged = await stage('a', 'content');
    proxy.fail('CompleteMultipartUpload', { kind: 'answer', status: 200, code: 'InternalError' });
    await store.publish(staged);
    expect(await textOf('a')).toBe('content');
  });

  test('an upload that is gone is not-found, whatever older object has its name', async () => {
    await put('a', 'older');
    const staged = await stage('a', 'newer');
    await direct.discard(staged);
    const error = await errorOf(store.publish(staged));
    expect(error.code).toBe('not-found');
    expect(error.message).toContain('upload is gone');
    expect(await textOf('a')).toBe('older');
  });

  test('an upload that is gone while its parts are sent fails the writer with its name', async () => {
    const writer = await store.stage('a', 'job-1');
    await direct.discard({ key: 'a', token: writer.token });
    await writer.write(Buffer.from('content'));
    expect(await errorOf(writer.seal())).toMatchObject({ code: 'not-found' });
    await writer.abort();
  });

  test('a part that is reset is sent again from its buffer', async () => {
    const content = patterned(27 * MiB);
    proxy.fail('UploadPart', { kind: 'lose-answer' }, { times: 2 });
    const staged = await stage('large', content);
    await store.publish(staged);
    expect(proxy.count('UploadPart')).toBe(4 + 2);
    expect((await collectBytes(direct.read('large'))).equals(content)).toBe(true);
  });

  test('an upload whose beginning was answered to nobody is gone when the object is published', async () => {
    proxy.fail('CreateMultipartUpload', { kind: 'lose-answer' }, { times: 2 });
    const staged = await stage('a', 'content');
    expect(await pending('a')).toBe(3);
    await store.publish(staged);
    expect(await pending('a')).toBe(0);
    expect(await textOf('a')).toBe('content');
  });

  test('an upload whose completion was answered to nobody takes those with it that nobody knows', async () => {
    proxy.fail('CreateMultipartUpload', { kind: 'lose-answer' });
    proxy.fail('CompleteMultipartUpload', { kind: 'lose-answer' });
    await store.publish(await stage('a', 'content'));
    expect(await pending('a')).toBe(0);
  });

  test('publishing looks for other uploads only when there may be some', async () => {
    await store.publish(await stage('a', 'content'));
    expect(proxy.count('ListMultipartUploads')).toBe(0);
  });

  test('an upload that lacks bytes is never published', async () => {
    const staged = await stage('a', 'content');
    const error = await errorOf(store.publish({ ...staged, bytes: 8 }));
    expect(error.code).toBe('corrupt');
    expect(await direct.head('a')).toBeUndefined();
  });

  test.each(['lose-answer', 'keep-answer'] as const)(
    'a conditional put that was carried out is our own success: %s',
    async (kind) => {
      proxy.fail('PutObject', { kind });
      expect(await store.putIfAbsent('lease', Buffer.from('mine'))).toBe(true);
      expect(await store.putIfAbsent('lease', Buffer.from('mine'))).toBe(false);
      expect(proxy.count('PutObject')).toBe(2);
    },
  );

  test('a conditional put that lost while its answer was lost is not taken for ours, though the bytes are the same', async () => {
    await direct.putIfAbsent('lease', Buffer.from('same'));
    proxy.fail('PutObject', { kind: 'lose-answer' });
    expect(await store.putIfAbsent('lease', Buffer.from('same'))).toBe(false);
  });

  test.each([
    [409, 'ConditionalRequestConflict'],
    [500, 'InternalError'],
    [503, 'SlowDown'],
  ])('a conditional put that was not carried out is tried again: %i', async (status, code) => {
    proxy.fail('PutObject', { kind: 'answer', status, code }, { times: 2 });
    expect(await store.putIfAbsent('lease', Buffer.from('mine'))).toBe(true);
    expect(proxy.count('PutObject')).toBe(3);
  });

  test('of 100 racing conditional puts exactly one wins, while answers are lost', async () => {
    for (let at = 0; at < 5; at++) proxy.fail('PutObject', { kind: 'lose-answer' }, { skip: at * 7 });
    const names = Array.from({ length: 100 }, (_, index) => `writer ${index}`);
    const wins = await Promise.all(names.map((name) => store.putIfAbsent('race', Buffer.from(name))));
    const winners = names.filter((_, index) => wins[index]);
    expect(winners).toEqual([await textOf('race')]);
  });
});
