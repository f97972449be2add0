import { expect, test } from 'vitest';
import { limits } from '../../limits.ts';
import { partBytes } from './upload-writer.ts';

const MiB = 1024 * 1024;

test('parts begin small and double, so that 10,000 of them hold a large object', () => {
  expect([1, 2_500, 2_501, 5_001, 10_000].map(partBytes)).toEqual([8, 8, 16, 32, 64].map((n) => n * MiB));
  const allBytes = Array.from({ length: limits.s3PartsMax }, (_, at) => partBytes(at + 1) ?? 0).reduce(
    (sum, bytes) => sum + bytes,
  );
  expect(Math.floor(allBytes / 1024 ** 3)).toBe(292);
});

test('there is no part past the last that S3 takes', () => {
  expect(partBytes(limits.s3PartsMax + 1)).toBeUndefined();
});
