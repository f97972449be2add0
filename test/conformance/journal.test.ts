import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createStores } from '../../lib/store/resolve.ts';
import { fileUri } from '../../lib/store/uri.ts';
import { describeWithMinio } from '../minio/describe-with-minio.ts';
import { journalConformance } from './journal.ts';

journalConformance(
  'a folder',
  async () => {
    const folder = await mkdtemp(join(tmpdir(), 'millrace-journal-'));
    const location = createStores().locate(fileUri(`${folder}/`));
    return { location, cleanup: () => rm(folder, { recursive: true, force: true }) };
  },
  20,
);

journalConformance(
  'memory',
  async () => ({
    location: createStores().locate(`mem://${randomUUID()}/cluster/`),
    cleanup: async () => undefined,
  }),
  200,
);

await describeWithMinio('on a real MinIO', (minio) => {
  journalConformance(
    'a bucket',
    async () => {
      const bucket = await minio().makeBucket();
      const stores = createStores({ s3: minio().access() });
      return { location: stores.locate(`s3://${bucket}/cluster/`), cleanup: async () => undefined };
    },
    5,
  );
});
