import { expect, test, vi } from 'vitest';
import { LazyStore } from './lazy-store.ts';
import { MemoryStore } from './memory-store.ts';
import { createStores } from './resolve.ts';
import { environmentS3Access } from './s3/s3-access.ts';

vi.mock('@aws-sdk/client-s3', () => {
  throw new Error('the AWS SDK was loaded');
});

test('whoever uses folders never loads the AWS SDK, whatever else it locates', async () => {
  const stores = createStores({ s3: environmentS3Access({ AWS_REGION: 'x' }) });
  expect(await stores.locate('file:///').store.head('no-such-file')).toBeUndefined();
  const { store } = stores.locate('s3://bucket/key');
  const error = await store.head('key').catch((thrown) => thrown);
  expect(String(error.cause ?? error)).toContain('the AWS SDK was loaded');
});

test('is opened once, and again after that failed', async () => {
  let opened = 0;
  const store = new LazyStore(async () => {
    if (++opened === 1) throw new Error('not yet');
    return new MemoryStore();
  });
  expect(opened).toBe(0);
  await expect(store.head('a')).rejects.toThrow('not yet');
  await Promise.all([store.head('a'), store.putIfAbsent('a', Buffer.from('x'))]);
  expect(opened).toBe(2);
});
