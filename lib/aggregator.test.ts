import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type AggregatorData, type AggregatorOp, aggregatorState } from './aggregator.ts';

function run(op: AggregatorOp, values: readonly unknown[], merge?: AggregatorData['merge']): unknown {
  const state = aggregatorState({ kind: 'aggregator', op, k: 3, ...(merge && { merge }) });
  return values.map((value) => state.lift(value)).reduce((a, b) => state.merge(a, b));
}

describe('aggregatorState', () => {
  it.each([
    ['sum', [1, 2.5, -4], -0.5],
    ['sum', [1n, 2n ** 70n], 2n ** 70n + 1n],
    ['count', ['x', null, { any: 1 }], 3],
    ['min', [3, -0, 0], -0],
    ['min', [3, Number.NaN, 1], Number.NaN],
    ['max', [3, Number.NaN, 1], Number.NaN],
    ['max', [3, 9, 1], 9],
    ['min', [3n, -9n], -9n],
    ['max', [3n, -9n], 3n],
    ['min', ['b', 'a', 'c'], 'a'],
    ['max', ['b', 'c', 'a'], 'c'],
    ['first', ['b', 'a'], 'b'],
  ] as const)('%s of %o is %s', (op, values, expected) => {
    expect(run(op, values)).toBe(expected);
  });

  it.each([
    [
      [5, 1, 9, 7],
      [9, 7, 5],
    ],
    [[2], [2]],
    [
      [1, Number.NaN, 2, 3],
      [Number.NaN, 3, 2],
    ],
    [
      [-0, 0, -1, -0],
      [0, -0, -0],
    ],
    [
      [3n, 8n, -1n, 9n],
      [9n, 8n, 3n],
    ],
    [
      ['a', 'c', 'b', 'd'],
      ['d', 'c', 'b'],
    ],
    [
      [[1, 'a'], [3, 'a'], [3, 'b'], [3]],
      [[3, 'b'], [3, 'a'], [3]],
    ],
  ] as const)('topK of %o is %o', (values, expected) => {
    expect(run('topK', values)).toEqual(expected);
    expect(run('topK', [...values].reverse())).toEqual(expected);
  });

  it('ranks the same however values are grouped', () => {
    const state = aggregatorState({ kind: 'aggregator', op: 'topK', k: 2 });
    const value = fc.oneof(fc.constantFrom(-0, 0, 1, Number.NaN), fc.integer({ min: 0, max: 9 }));
    fc.assert(
      fc.property(fc.array(fc.array(value, { minLength: 1 }), { minLength: 1 }), (groups) => {
        const merge = (states: unknown[]) => states.reduce((a, b) => state.merge(a, b));
        const lifted = groups.map((group) => group.map((one) => state.lift(one)));
        expect(merge(lifted.map(merge))).toEqual(merge(lifted.flat()));
      }),
    );
  });

  it('folds in order', () => {
    expect(run('fold', ['a', 'b', 'c'], (a: string, b: string) => a + b)).toBe('abc');
  });

  it('gives the same however states are grouped before they are merged', () => {
    const state = aggregatorState({ kind: 'aggregator', op: 'count' });
    const [a, b, c] = ['x', 'y', 'z'].map((value) => state.lift(value));
    expect(state.merge(state.merge(a, b), c)).toBe(3);
    expect(state.merge(a, state.merge(b, c))).toBe(3);
  });

  it('names types that an operation does not know or that do not go together', () => {
    expect(() => run('sum', ['1'])).toThrow(
      'sum works on values of type number, bigint; a string was emitted',
    );
    expect(() => run('min', [null])).toThrow('a null was emitted');
    expect(() => run('max', [1, 'a'])).toThrow('max cannot bring together a number and a string of one key');
    expect(() => run('topK', [1, '1'])).toThrow(
      'topK cannot bring together a number and a string of one key',
    );
    expect(() => run('topK', [[1, {}]])).toThrow('topK works on values of type number, bigint, string');
    expect(() => run('fold', [1])).toThrow('fold needs a function');
  });
});
