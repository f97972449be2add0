import { Readable } from 'node:stream';
import { expect, test } from 'vitest';
import { collectBytes } from '../../iterables.ts';
import { limits } from '../../limits.ts';
import type { GetRange } from './range-fetch.ts';
import { readRanges } from './read-ranges.ts';

const MiB = 1024 * 1024;

/** An object in memory, and what was asked of it. */
function fakeObject(bytes: number, pieceBytes = 65_521) {
  const content = Buffer.alloc(bytes, 'abcdefg');
  const asked: string[] = [];
  const signals: AbortSignal[] = [];
  const get: GetRange = async (from, to, etag, signal) => {
    asked.push(`${from / MiB}-${to / MiB} ${etag}`);
    signals.push(signal);
    const end = Math.min(to, bytes);
    // Views of one buffer every second time, as a body may be, and copies else.
    const pieces = Array.from({ length: Math.ceil((end - from) / pieceBytes) }, (_, index) => {
      const at = from + index * pieceBytes;
      const piece = content.subarray(at, Math.min(at + pieceBytes, end));
      return index % 2 === 0 ? piece : Buffer.from(new Uint8Array(piece).buffer);
    });
    return { stream: Readable.from(pieces), etag: 'v1', objectBytes: bytes };
  };
  return { content, asked, signals, get };
}

test('ranges are of 8 MiB, and the last takes what is not worth one more; all but the first are of the same version', async () => {
  const object = fakeObject(27 * MiB);
  const read = await collectBytes(readRanges(object.get, 's3://b/k', {}));
  expect(read.equals(object.content)).toBe(true);
  expect(object.asked).toEqual(['0-8 undefined', '8-16 v1', '16-27 v1']);
});

test('a slow reader has the range it reads and the next, no more', async () => {
  const object = fakeObject(50 * MiB);
  let bytes = 0;
  for await (const chunk of readRanges(object.get, 's3://b/k', {})) {
    expect(object.asked.length).toBeLessThanOrEqual(Math.floor(bytes / limits.s3RangeBytes) + 2);
    bytes += chunk.length;
  }
  expect(bytes).toBe(50 * MiB);
});

test('a reader that stops early stops what is on its way', async () => {
  const object = fakeObject(50 * MiB);
  for await (const _ of readRanges(object.get, 's3://b/k', {})) break;
  expect(object.signals.length).toBeGreaterThan(0);
  expect(object.signals.every((signal) => signal.aborted)).toBe(true);
});

test.each([65_521, 100, 65_536])(
  'chunks have memory of their own, which may be given to another thread: from pieces of %i bytes',
  async (pieceBytes) => {
    const object = fakeObject(3 * MiB, pieceBytes);
    const seen = new Set<ArrayBufferLike>();
    const chunks: Uint8Array[] = [];
    for await (const chunk of readRanges(object.get, 's3://b/k', { start: 5, end: 2 * MiB })) {
      chunks.push(chunk);
      expect(chunk.length).toBeLessThanOrEqual(1 * MiB);
      expect(chunk.buffer.byteLength).toBe(chunk.length);
      expect(seen.has(chunk.buffer)).toBe(false);
      seen.add(chunk.buffer);
    }
    expect(Buffer.concat(chunks).equals(object.content.subarray(5, 2 * MiB))).toBe(true);
    expect(chunks.length).toBeLessThanOrEqual(Math.ceil((2 * MiB) / 65_521));
  },
);
