import { expect, test } from 'vitest';
import { formatCount } from './table.ts';

test.each([
  [0, '0'],
  [999, '999'],
  [1_000, '1,000'],
  [1_234_567.8, '1,234,568'],
  [-1_000, '-1,000'],
])('%d is shown as %s', (count, shown) => {
  expect(formatCount(count)).toBe(shown);
});
