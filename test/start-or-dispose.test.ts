import { expect, test } from 'vitest';
import { startOrDispose } from './start-or-dispose.ts';

test('what cannot be started is disposed of, and the error is that of the start', async () => {
  let disposals = 0;
  const resource: AsyncDisposable = {
    async [Symbol.asyncDispose]() {
      disposals++;
    },
  };
  expect(await startOrDispose(resource, async () => undefined)).toBe(resource);
  expect(disposals).toBe(0);
  const start = startOrDispose(resource, () => Promise.reject(new Error('no room')));
  await expect(start).rejects.toThrow('no room');
  expect(disposals).toBe(1);
});
