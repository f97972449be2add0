import { randomUUID } from 'node:crypto';
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { writePairHeader } from '../../lib/codec/pair.ts';
import { type AttemptId, toJobId, toWorkerId } from '../../lib/ids.ts';
import type { SegmentCounts } from '../../lib/job-spec.ts';
import { copiesFolder, indexUri, pieceUri } from '../../lib/map-copy.ts';
import { createStores } from '../../lib/store/resolve.ts';
import { readCopiedSegment } from './read-copy.ts';
import { type RunSummary, RunWriter } from './run-file.ts';
import { SegmentStore } from './segment-store.ts';
import { writeCopy } from './write-copy.ts';

const attempt: AttemptId = { jobId: toJobId('job'), kind: 'map', index: 3, attempt: 0, epoch: 1 };
const stores = createStores();
const { signal } = new AbortController();

let folder: string;
let spec: { bundle: { uri: string; sha256: string; bytes: number } };
let run: RunSummary;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-copy-'));
  spec = { bundle: { uri: `mem://${randomUUID()}/jobs/job/bundle.mjs`, sha256: '', bytes: 0 } };
  run = makeRun([5, 0, 1, 12]);
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Pairs of nine bytes, so many in each partition. */
function makeRun(pairs: readonly number[]): RunSummary {
  const writer = new RunWriter(join(folder, 'output.run'), pairs.length);
  const pair = Buffer.alloc(9);
  for (const [partition, count] of pairs.entries()) {
    for (let index = 0; index < count; index++) {
      const start = writePairHeader(pair, 0, 3, 4);
      pair.write(`k${String(index).padStart(2, '0')}v${partition}`.padEnd(7, '.'), start);
      writer.append(partition, pair, 0, pair.length);
    }
  }
  return writer.finish();
}

function copyRun(pieceBytes: number): Promise<void> {
  const { segments, path } = run;
  const report = { inputRecords: 1, inputBytes: 2, segments, part: undefined, spills: 0, spillBytes: 0 };
  const copy = { attempt, worker: toWorkerId('w1'), report, counters: {} };
  return writeCopy({ stores, spec, path, copy, pieceBytes, signal });
}

async function read(partition: number): Promise<Buffer> {
  const expected = run.segments[partition]!;
  const source = await readCopiedSegment({
    ...{ stores, spec, attempt, partition, signal },
    segments: new SegmentStore(join(folder, 'fetched'), 1e6),
    name: 'the copy of map m3.0',
    isReported: ({ records, bytes, crc32 }: SegmentCounts) =>
      records === expected.records && bytes === expected.bytes && crc32 === expected.crc32,
  });
  if (source.kind !== 'memory') throw new Error(source.kind);
  return Buffer.from(source.bytes);
}

async function namesOf(): Promise<string[]> {
  const { store, key } = stores.locate(copiesFolder(spec));
  const names: string[] = [];
  for await (const object of store.list(key)) names.push(object.key.slice(key.length));
  return names;
}

async function damage(uri: string): Promise<void> {
  const { store, key } = stores.locate(uri);
  const bytes: number[] = [];
  for await (const chunk of store.read(key)) bytes.push(...chunk);
  bytes[bytes.length - 1]! ^= 1;
  await store.put(key, Uint8Array.from(bytes));
}

test.each([1, 7, 9, 45, 1_000])('each segment comes back from pieces of %i bytes', async (pieceBytes) => {
  await copyRun(pieceBytes);
  for (const [partition, { bytes }] of run.segments.entries()) {
    const segment = await read(partition);
    expect(segment.length).toBe(bytes);
    if (bytes > 0) expect(segment.subarray(-5).toString()).toMatch(`v${partition}`);
  }
  expect(await namesOf()).toHaveLength(Math.ceil((18 * 9) / pieceBytes) + 1);
});

test('an output without a pair is an index alone', async () => {
  run = makeRun([0, 0]);
  await copyRun(10);
  expect(await namesOf()).toEqual(['m3.0.e1.json']);
  expect(await read(1)).toHaveLength(0);
});

test('copied a second time it is the same', async () => {
  await copyRun(50);
  const names = await namesOf();
  await copyRun(50);
  expect(await namesOf()).toEqual(names);
  expect(await read(3)).toHaveLength(12 * 9);
});

test('a run file that is damaged is never copied as if it were whole', async () => {
  const file = openSync(run.path, 'r+');
  writeSync(file, Buffer.from('!'), 0, 1, run.segments[3]!.offset + 20);
  closeSync(file);
  await expect(copyRun(30)).rejects.toMatchObject({ code: 'corrupt' });
  expect(await namesOf()).not.toContain('m3.0.e1.json');
  await expect(read(0)).rejects.toMatchObject({ code: 'not-found' });
});

test('a copy without its index, with a changed or missing piece, or of other counts is told by its error', async () => {
  await copyRun(50);
  await damage(pieceUri(spec, attempt, 1));
  await expect(read(3)).rejects.toMatchObject({ code: 'corrupt' });
  await expect(read(0)).resolves.toHaveLength(5 * 9);
  const { store, key } = stores.locate(pieceUri(spec, attempt, 3));
  await store.remove(key);
  await expect(read(3)).rejects.toMatchObject({ code: 'not-found' });
  run = makeRun([5, 0, 2, 12]);
  await expect(read(2)).rejects.toMatchObject({ code: 'corrupt' });
  await damage(indexUri(spec, attempt));
  await expect(read(0)).rejects.toMatchObject({ code: 'corrupt' });
});

test('a copy that is not wanted any more is given up before the next object', async () => {
  const abort = new AbortController();
  abort.abort(new Error('not wanted'));
  const { segments, path } = run;
  const report = { inputRecords: 1, inputBytes: 2, segments, part: undefined, spills: 0, spillBytes: 0 };
  const copy = { attempt, worker: toWorkerId('w1'), report, counters: {} };
  await expect(writeCopy({ stores, spec, path, copy, signal: abort.signal })).rejects.toThrow('not wanted');
  expect(await namesOf()).toEqual([]);
});
