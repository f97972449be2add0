import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { writePairHeader } from '../../lib/codec/pair.ts';
import { toJobId } from '../../lib/ids.ts';
import { limits } from '../../lib/limits.ts';
import { MapOutputs } from './outputs.ts';
import { type RunSegment, RunWriter } from './run-file.ts';
import { SegmentVerifier } from './verify-segment.ts';

const jobId = toJobId('job');
const wanted = { map: 0, attempt: 0, epoch: 1 };
let folder: string;
let path: string;
let outputs: MapOutputs;
let verifier: SegmentVerifier;
/** Of partition 1, larger than what is read at once. */
let segment: RunSegment;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-verify-'));
  path = join(folder, 'm0.run');
  outputs = new MapOutputs();
  verifier = new SegmentVerifier(outputs);
  const bytes = limits.readChunkBytes * 2;
  const pair = Buffer.alloc(bytes + 32, 7);
  const keyStart = writePairHeader(pair, 0, 1, bytes);
  const writer = new RunWriter(path, 2);
  writer.append(1, pair, 0, keyStart + 1 + bytes);
  segment = writer.finish().segments[1]!;
  outputs.add({ jobId, kind: 'map', index: 0, attempt: 0, epoch: 1 }, path);
});
afterEach(() => {
  outputs.removeAll();
  rmSync(folder, { recursive: true });
});

const verify = (partition = 1, of = wanted) => verifier.verify(jobId, partition, of, () => false);

test('a segment that is whole has the crc32 of its index, an empty one too', async () => {
  const { records, bytes, crc32 } = segment;
  expect(await verify()).toEqual({ found: true, records, bytes, indexCrc32: crc32, diskCrc32: crc32 });
  expect(await verify(0)).toEqual({ found: true, records: 0, bytes: 0, indexCrc32: 0, diskCrc32: 0 });
});

test('a bit that changed on the disk shows, however often the file was read before', async () => {
  await verify();
  const bytes = readFileSync(path);
  bytes[segment.offset + segment.bytes - 1]! ^= 1;
  writeFileSync(path, bytes);
  const { indexCrc32, diskCrc32 } = await verify();
  expect(indexCrc32).toBe(segment.crc32);
  expect(diskCrc32).not.toBe(segment.crc32);
});

test('a file that ends early, is torn or gone is said to be unreadable, without its path', async () => {
  outputs.find(jobId, 0, 0, 1);
  truncateSync(path, segment.offset + 100);
  expect(await verify()).toEqual({ found: true, unreadable: `it ends at byte ${segment.offset + 100}` });
  rmSync(path);
  const gone = await verify();
  expect(gone).toMatchObject({ found: true, unreadable: expect.stringMatching(/ENOENT.*'the run file'/) });
  writeFileSync(path, 'torn');
  outputs.add({ jobId, kind: 'map', index: 0, attempt: 0, epoch: 1 }, path);
  const torn = await verify();
  expect(torn.unreadable).toBe('the run file is corrupt: it has only 4 bytes');
});

test('what is not served here is not found: another attempt, another job, no such partition', async () => {
  expect(await verify(1, { ...wanted, attempt: 1 })).toEqual({ found: false });
  expect(await verifier.verify(toJobId('other'), 1, wanted, () => false)).toEqual({ found: false });
  expect(await verify(2)).toEqual({ found: false });
});

test('so many wait and no more; those that nobody waits for any more are not read', async () => {
  rmSync(path);
  const waiting = Array.from({ length: limits.verificationsWaitingMax }, () =>
    verifier.verify(jobId, 1, wanted, () => true),
  );
  await expect(verify()).rejects.toMatchObject({ code: 'limit-exceeded' });
  expect(await Promise.all(waiting)).toEqual(waiting.map(() => ({ found: false })));
  expect(await verify()).toMatchObject({ found: true });
});

test('one segment is read after the other', async () => {
  const looks: string[] = [];
  const read = (name: string) =>
    verifier.verify(jobId, 1, wanted, () => {
      looks.push(name);
      return false;
    });
  await Promise.all(['first', 'second'].map(read));
  expect(looks.length).toBeGreaterThan(4);
  expect(looks).toEqual(looks.toSorted());
});
