/**
 * How fast one reader and one writer move an object to and from a real MinIO on this machine, and a folder beside it:
 * `node bench/micro/store-throughput.ts [MiB]`. Prints MB/s for the best of three rounds and this process's CPU seconds per GB then;
 * MinIO's own CPU time comes on top.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FolderStore } from '../../lib/store/folder-store.ts';
import { createStores } from '../../lib/store/resolve.ts';
import type { StagedObject, Store } from '../../lib/store/store.ts';
import { startMinio } from '../../test/minio/start-minio.ts';

const sizeBytes = Number(process.argv[2] ?? 256) * 1024 * 1024;
const rounds = 3;
const piece = Buffer.alloc(256 * 1024, 'abcdefghij');

const folder = await mkdtemp(join(tmpdir(), 'millrace-bench-'));
await using minio = await startMinio();
try {
  const bucket = await minio.makeBucket('bench');
  await show('folder', new FolderStore(folder));
  await show('MinIO', createStores({ s3: minio.access() }).locate(`s3://${bucket}/`).store);
} finally {
  await rm(folder, { recursive: true });
}

async function show(name: string, store: Store): Promise<void> {
  let staged: StagedObject | undefined;
  const staging = await best(async () => {
    if (staged) await store.discard(staged);
    const writer = await store.stage('object', 'bench');
    for (let sent = 0; sent < sizeBytes; sent += piece.length) await writer.write(piece);
    staged = await writer.seal();
  });
  if (staged) await store.publish(staged);
  const reading = await best(async () => {
    let bytes = 0;
    for await (const chunk of store.read('object')) bytes += chunk.length;
    if (bytes !== sizeBytes) throw new Error(`${bytes} bytes came out of ${sizeBytes}`);
  });
  console.log(`${name}: read ${reading}, stage ${staging}`);
}

async function best(run: () => Promise<void>): Promise<string> {
  const results: { readonly wallMs: number; readonly cpuMs: number }[] = [];
  for (let round = 0; round < rounds; round++) {
    const cpu = process.cpuUsage();
    const startMs = performance.now();
    await run();
    const { user, system } = process.cpuUsage(cpu);
    results.push({ wallMs: performance.now() - startMs, cpuMs: (user + system) / 1_000 });
  }
  const fastest = results.reduce((a, b) => (a.wallMs <= b.wallMs ? a : b));
  const perGb = (fastest.cpuMs / 1_000 / sizeBytes) * 1e9;
  return `${Math.round(sizeBytes / fastest.wallMs / 1_000)} MB/s (${perGb.toFixed(2)} CPU s/GB)`;
}
