/** Lines of 100 bytes read from a file in the page cache, in ASCII and with one non-ASCII character each. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createStores } from '../../lib/store/resolve.ts';
import { fileUri } from '../../lib/store/uri.ts';
import { readSplit } from '../../worker/map/read-split.ts';
import { cpuNow, measureStages, type Rate } from './rate.ts';

const lines = 1_000_000;
const lineBytes = 100;
const sizeBytes = lines * lineBytes;

export async function readLines(): Promise<Rate[]> {
  const folder = mkdtempSync(join(tmpdir(), 'read-lines-'));
  try {
    return [
      ...(await readFrom('ASCII', 'x', join(folder, 'ascii'))),
      ...(await readFrom('UTF-8', 'é', join(folder, 'utf8'))),
    ];
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function readFrom(what: string, beginning: string, path: string): Promise<Rate[]> {
  const line = Buffer.alloc(lineBytes, 'abcdefghij');
  line.write(beginning);
  line[lineBytes - 1] = 10;
  writeFileSync(path, Buffer.alloc(sizeBytes, line));
  return measureStages(what, sizeBytes / 1e6, 'MB/s', () => readOnce(path));
}

async function readOnce(path: string): Promise<{ readonly decode: number }> {
  const piece = { uri: fileUri(path), start: 0, end: sizeBytes, objectBytes: sizeBytes, etag: '' };
  const split = { pieces: [piece], bytes: sizeBytes, hosts: [] };
  const startedAt = cpuNow();
  let chars = 0;
  for await (const batch of readSplit(split, { kind: 'lines' }, createStores()))
    while (batch.next()) chars += (batch.record as string).length;
  if (chars < sizeBytes / 2) throw new Error(`only ${chars} characters came out of ${sizeBytes} bytes`);
  return { decode: cpuNow() - startedAt };
}
