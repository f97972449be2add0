/** An object of 256 MB to and from a real MinIO on this machine, and a folder beside it. MinIO's own CPU time comes on top. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FolderStore } from '../../lib/store/folder-store.ts';
import { createStores } from '../../lib/store/resolve.ts';
import type { Store } from '../../lib/store/store.ts';
import { startMinio } from '../../test/minio/start-minio.ts';
import { cpuNow, measureStages, type Rate } from './rate.ts';

const piece = Buffer.alloc(256 * 1024, 'abcdefghij');
const pieces = 1_000;
const sizeBytes = pieces * piece.length;

export async function store(): Promise<Rate[]> {
  const folder = mkdtempSync(join(tmpdir(), 'store-'));
  await using minio = await startMinio();
  try {
    const bucket = await minio.makeBucket('bench');
    const inMinio = createStores({ s3: minio.access() }).locate(`s3://${bucket}/`).store;
    return [
      ...(await measureStore('folder', new FolderStore(folder))),
      ...(await measureStore('MinIO', inMinio)),
    ];
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function measureStore(what: string, its: Store): Promise<Rate[]> {
  return measureStages(what, sizeBytes / 1e6, 'MB/s', async () => {
    const startedAt = cpuNow();
    await write(its);
    const writtenAt = cpuNow();
    await read(its);
    return { write: writtenAt - startedAt, read: cpuNow() - writtenAt };
  });
}

async function write(its: Store): Promise<void> {
  const writer = await its.stage('object', 'bench');
  for (let at = 0; at < pieces; at++) await writer.write(piece);
  await its.publish(await writer.seal());
}

async function read(its: Store): Promise<void> {
  let bytes = 0;
  for await (const chunk of its.read('object')) bytes += chunk.length;
  if (bytes !== sizeBytes) throw new Error(`${bytes} bytes came out of ${sizeBytes}`);
}
