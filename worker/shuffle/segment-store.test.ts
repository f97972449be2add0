import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import { SegmentStore } from './segment-store.ts';

const rejections: unknown[] = [];
const listen = (reason: unknown) => rejections.push(reason);
process.on('unhandledRejection', listen);
afterEach(() => void process.off('unhandledRejection', listen));

test('a file that cannot be made is told to who writes to it, and ends no process', async () => {
  const store = new SegmentStore('/no/such/folder/fetched.segments', 0);
  const counts = { records: 1, bytes: 3, crc32: 0 };
  const ended = await store.begin('the one that ended before its first byte', counts);
  await turn();
  ended.abort();
  const sink = await store.begin('the one that goes on', counts);
  await expect(sink.write(Buffer.from('abc'))).rejects.toThrow('/no/such/folder/fetched.segments: ENOENT');
  await store.close();
  await turn();
  expect(rejections).toEqual([]);
});
