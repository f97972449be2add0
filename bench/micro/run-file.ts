/** Writes a run of pairs of 100 bytes in 16 partitions, one append each, and reads its segments back with their checksums. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { writePair } from '../../lib/codec/pair.ts';
import { RunReader, RunWriter } from '../../worker/shuffle/run-file.ts';
import { cpuOf, measureStages, type Rate } from './rate.ts';

const pairs = 1_000_000;
const pairBytes = 100;
const partitions = 16;
const keyBytes = 10;

export async function runFile(): Promise<Rate[]> {
  const folder = mkdtempSync(join(tmpdir(), 'run-file-'));
  const path = join(folder, 'a.run');
  try {
    return await measureStages('16 segments', (pairs * pairBytes) / 1e6, 'MB/s', () => ({
      write: cpuOf(() => write(path)),
      read: cpuOf(() => read(path)),
    }));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const pair = Buffer.alloc(pairBytes);
writePair(pair, 0, Buffer.alloc(keyBytes, 'k'), Buffer.alloc(pairBytes - 2 - keyBytes, 'v'));

function write(path: string): void {
  const writer = new RunWriter(path, partitions);
  for (let index = 0; index < pairs; index++)
    writer.append(Math.floor((index * partitions) / pairs), pair, 0, pairBytes);
  writer.finish();
}

function read(path: string): void {
  using reader = new RunReader(path);
  for (let partition = 0; partition < partitions; partition++) {
    const segment = reader.segment(partition);
    const bytes = Buffer.allocUnsafeSlow(segment.bytes);
    reader.read(segment.offset, bytes);
    if (crc32(bytes) !== segment.crc32) throw new Error(`segment ${partition} came back damaged`);
  }
}
