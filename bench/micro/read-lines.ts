/**
 * How fast lines of a file are read, one core, page cache warm: `node bench/micro/read-lines.ts [MiB] [line bytes]`.
 * Prints MB/s for the best of five rounds, in ASCII and with one non-ASCII character per line.
 */
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createStores } from '../../lib/store/resolve.ts';
import { fileUri } from '../../lib/store/uri.ts';
import { readSplit } from '../../worker/map/read-split.ts';

const sizeBytes = Number(process.argv[2] ?? 256) * 1024 * 1024;
const lineBytes = Number(process.argv[3] ?? 100);
const folder = await mkdtemp(join(tmpdir(), 'millrace-bench-'));
try {
  for (const [name, beginning] of [
    ['ascii', 'x'],
    ['utf8', 'é'],
  ] as const) {
    const path = join(folder, name);
    const line = Buffer.alloc(lineBytes, 'abcdefghij');
    line.write(beginning);
    line[lineBytes - 1] = 10;
    await writeFile(path, Buffer.alloc(Math.ceil(sizeBytes / lineBytes) * lineBytes, line));
    const seconds = [];
    for (let round = 0; round < 5; round++) seconds.push(await readOnce(path));
    console.log(
      `${name}, lines of ${lineBytes} bytes: ${Math.round(sizeBytes / Math.min(...seconds) / 1e6)} MB/s`,
    );
  }
} finally {
  await rm(folder, { recursive: true });
}

async function readOnce(path: string): Promise<number> {
  const { size } = await stat(path);
  const piece = { uri: fileUri(path), start: 0, end: size, objectBytes: size, etag: '' };
  const startedMs = performance.now();
  let chars = 0;
  for await (const batch of readSplit(
    { pieces: [piece], bytes: size, hosts: [] },
    { kind: 'lines' },
    createStores(),
  )) {
    while (batch.next()) chars += (batch.record as string).length;
  }
  if (chars < size / 2) throw new Error(`only ${chars} characters came out of ${size} bytes`);
  return (performance.now() - startedMs) / 1000;
}
