import { describe, expect, it } from 'vitest';
import { ratios, summary } from './statistics.ts';

describe('summary', () => {
  it('finds the middle of odd and even numbers of samples, in any order', () => {
    expect(summary([3, 1, 2])).toEqual({ median: 2, min: 1, max: 3, spread: 1 });
    expect(summary([4, 1, 2, 3]).median).toBe(2.5);
    expect(summary([7])).toEqual({ median: 7, min: 7, max: 7, spread: 0 });
  });

  it('is not a number without samples', () => {
    expect(summary([]).median).toBeNaN();
  });
});

describe('ratios', () => {
  it('pairs runs of the same round', () => {
    expect(ratios([1, 4], [2, 4])).toEqual([0.5, 1]);
  });

  it('takes the median of a side that has fewer rounds', () => {
    expect(ratios([2, 4, 6], [2])).toEqual([1, 2, 3]);
    expect(ratios([2], [1, 4, 2])).toEqual([1]);
  });

  it('has none without samples of the other side', () => {
    expect(ratios([1], [])).toEqual([]);
  });
});
