import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FolderStore } from '../../lib/store/folder-store.ts';
import { MemoryStore } from '../../lib/store/memory-store.ts';
import { createStores } from '../../lib/store/resolve.ts';
import { describeWithMinio } from '../minio/describe-with-minio.ts';
import { storeConformance } from './store.ts';

storeConformance('the folder store', async () => {
  const root = await mkdtemp(join(tmpdir(), 'millrace-store-'));
  return { store: new FolderStore(root), cleanup: () => rm(root, { recursive: true, force: true }) };
});

storeConformance('the folder store below a prefix', async () => {
  const root = await mkdtemp(join(tmpdir(), 'millrace-store-'));
  const prefix = `${root.slice(1)}/`;
  return { store: new FolderStore('/'), prefix, cleanup: () => rm(root, { recursive: true, force: true }) };
});

storeConformance('the memory store', async () => ({
  store: new MemoryStore(),
  cleanup: async () => undefined,
}));

await describeWithMinio('over a real MinIO', (minio) => {
  storeConformance('the S3 store', async () => {
    const bucket = await minio().makeBucket();
    const stores = createStores({ s3: minio().access() });
    return { store: stores.locate(`s3://${bucket}/`).store, cleanup: async () => undefined };
  });
});
