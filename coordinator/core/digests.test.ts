import { expect, test } from 'vitest';
import { segmentDigest } from '../../lib/segment-digest.ts';
import { DigestTable } from './digests.ts';

const segment = (records: number, crc32 = 0) => ({ records, bytes: records * 10, crc32 });

test('a rerun that makes the same changes nothing; one that differs names its partitions', () => {
  const table = new DigestTable(2, 3);
  expect(table.replace(1, [segment(1), segment(2), segment(3)])).toEqual([]);
  expect(table.replace(1, [segment(1), segment(2), segment(3)])).toEqual([]);
  expect(table.replace(1, [segment(1), segment(2, 9), segment(4)])).toEqual([1, 2]);
  expect(table.get(1, 2)).toBe(segmentDigest(segment(4)));
});

test('of more than 16 million pairs only the low byte is kept', () => {
  const table = new DigestTable(1_000_000, 17);
  const segments = Array.from({ length: 17 }, (_, at) => segment(at));
  table.replace(999_999, segments);
  expect(table.get(999_999, 5)).toBe(segmentDigest(segment(5)) & 0xff);
  expect(table.replace(999_999, segments.with(5, segment(6)))).toEqual([5]);
});
