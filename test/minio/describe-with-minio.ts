/** A group of tests that share one real MinIO, skipped where there is none. */
import { afterAll, beforeAll, describe } from 'vitest';
import { findMinio } from './find-minio.ts';
import { type Minio, startMinio } from './start-minio.ts';

/**
 * `await describeWithMinio('…', (minio) => { test('…', async () => { … minio().makeBucket() … }) })`. Await it at the top of the file:
 * whether there is a MinIO, which may have to be built, must be known when the tests are collected.
 */
export async function describeWithMinio(name: string, define: (minio: () => Minio) => void): Promise<void> {
  const source = await findMinio();
  describe.skipIf(!source)(name, () => {
    let minio: Minio | undefined;
    beforeAll(async () => {
      minio = await startMinio();
    });
    afterAll(async () => {
      await minio?.[Symbol.asyncDispose]();
    });
    define(() => {
      if (!minio) throw new Error('MinIO runs only while the tests of its group do');
      return minio;
    });
  });
}
