import { expect, test } from 'vitest';
import { type FrameEntry, frameHeaderBytes, readFrameHeader, writeFrameHeader } from './fetch-frames.ts';

const segment = { map: 70_000, attempt: 3, epoch: 2 };
const entries: FrameEntry[] = [
  { kind: 'segment', segment, counts: { records: 2 ** 40, bytes: 2 ** 45 + 1, crc32: 0xffffffff } },
  { kind: 'missing', segment },
  { kind: 'unreadable', segment },
  { kind: 'end' },
];

test.each(entries)('a $kind header reads back as written', (entry) => {
  const bytes = Buffer.alloc(frameHeaderBytes + 7, 0xee);
  expect(writeFrameHeader(bytes, 7, entry)).toBe(7 + frameHeaderBytes);
  expect(readFrameHeader(bytes, 7)).toEqual(entry);
});

test('an unknown kind, counts that are none, and half a header are corrupt', () => {
  const bytes = Buffer.alloc(frameHeaderBytes);
  expect(() => readFrameHeader(bytes, 0)).toThrow(/kind 0/);
  writeFrameHeader(bytes, 0, entries[0]!);
  bytes.writeDoubleLE(-1, 24);
  expect(() => readFrameHeader(bytes, 0)).toThrow(/makes no sense/);
  expect(() => readFrameHeader(bytes.subarray(1), 0)).toThrow(/inside a header/);
});
