/** ENOSPC from the kernel, not from a stub: every writer of the data path says `no-space` and the file, and leaves nothing. */
import { mkdtempSync, readdirSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mountSmallDisk } from '../../test/small-disk.ts';
import { createMapOutput } from '../map/pair-collector.ts';
import { RunWriter } from './run-file.ts';
import { SegmentStore } from './segment-store.ts';

const MiB = 1024 * 1024;
let directory: string;
let disk: Disposable | undefined;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'full-disk-'));
  disk = mountSmallDisk(directory, 2 * MiB);
});
afterAll(() => {
  disk?.[Symbol.dispose]();
  rmdirSync(directory);
});

const noSpace = { code: 'no-space', message: expect.stringMatching(/full-disk-.*ENOSPC/) };

describe('on a disk that is full', () => {
  it('a run is given up', (context) => {
    if (!disk) return context.skip();
    const writer = new RunWriter(join(directory, 'a.run'), 1);
    const write = () => {
      for (let i = 0; i < 4; i++) writer.append(0, Buffer.alloc(MiB), 0, MiB);
      writer.finish();
    };
    expect(write).toThrow(expect.objectContaining(noSpace));
    writer.abort();
    expect(readdirSync(directory)).toEqual([]);
  });

  it('a map is given up, with all its spills', (context) => {
    if (!disk) return context.skip();
    const map = createMapOutput({
      ...{ directory, fileName: 'out', partitions: 2, partitioning: { kind: 'hash' } },
      sortBufferBytes: 256 * 1024,
    });
    const write = () => {
      for (let i = 0; i < 4_000; i++) map.emit(`key ${i}`, 'x'.repeat(1_000));
    };
    expect(write).toThrow(expect.objectContaining(noSpace));
    map.abort();
    expect(readdirSync(directory)).toEqual([]);
  });

  it('what is fetched is given up', async (context) => {
    if (!disk) return context.skip();
    const store = new SegmentStore(join(directory, 'fetched'), 0);
    const sink = await store.begin('a segment', { bytes: 4 * MiB, records: 1, crc32: 0 });
    const write = async () => {
      for (let i = 0; i < 4; i++) await sink.write(Buffer.alloc(MiB));
    };
    await expect(write()).rejects.toMatchObject(noSpace);
    sink.abort();
    await store.discard();
    expect(readdirSync(directory)).toEqual([]);
  });
});
