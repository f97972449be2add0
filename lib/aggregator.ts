/**
 * Built-in aggregators as data: objects, not functions, so that TypeScript infers a union with a generator method, and so
 * that the data path can run them on bytes without calling user code.
 *
 * An aggregator lifts each value once into a state and then merges states in order; applying it again to states only merges.
 * So `combine: count` turns every group of values into its number exactly once however often combining happens.
 */
import { MillraceError } from './errors.ts';

export type AggregatorOp = 'sum' | 'count' | 'min' | 'max' | 'first' | 'topK' | 'fold';

export interface AggregatorData {
  readonly kind: 'aggregator';
  readonly op: AggregatorOp;
  /** For `topK` only: how many values are kept of a key. */
  readonly k?: number;
  /** For `fold` only: merges two values, associative. */
  readonly merge?: (a: never, b: never) => unknown;
}

export function isAggregator(value: unknown): value is AggregatorData {
  return typeof value === 'object' && value !== null && (value as { kind?: unknown }).kind === 'aggregator';
}

/** What an aggregator does with values; the same on both sides of the shuffle. */
export interface AggregatorState {
  /** A value as it was emitted becomes a state, exactly once. Throws `invalid-argument` for a type that the operation lacks. */
  lift(value: unknown): unknown;
  /** Two states in order become one. */
  merge(a: unknown, b: unknown): unknown;
}

/** The functions behind an aggregator. */
export function aggregatorState(aggregator: AggregatorData): AggregatorState {
  switch (aggregator.op) {
    case 'sum':
      return { lift: (value) => checkType('sum', value, 'number', 'bigint'), merge: sumOf };
    case 'count':
      return { lift: () => 1, merge: sumOf };
    case 'min':
      return { lift: (value) => checkType('min', value, 'number', 'bigint', 'string'), merge: minOf };
    case 'max':
      return { lift: (value) => checkType('max', value, 'number', 'bigint', 'string'), merge: maxOf };
    case 'first':
      return { lift: (value) => value, merge: (a) => a };
    case 'topK':
      return topKState(aggregator.k);
    case 'fold': {
      const merge = aggregator.merge as ((a: unknown, b: unknown) => unknown) | undefined;
      if (typeof merge !== 'function')
        throw new MillraceError('invalid-argument', 'fold needs a function of two values');
      return { lift: (value) => value, merge };
    }
  }
}

function checkType(op: AggregatorOp, value: unknown, ...types: readonly string[]): unknown {
  if (types.includes(typeof value)) return value;
  const given = value === null ? 'null' : typeof value;
  throw new MillraceError(
    'invalid-argument',
    `${op} works on values of type ${types.join(', ')}; a ${given} was emitted`,
  );
}

function mixed(op: AggregatorOp, a: unknown, b: unknown): MillraceError {
  return new MillraceError(
    'invalid-argument',
    `${op} cannot bring together a ${typeof a} and a ${typeof b} of one key`,
  );
}

function sumOf(a: unknown, b: unknown): unknown {
  if (typeof a === 'number' && typeof b === 'number') return a + b;
  if (typeof a === 'bigint' && typeof b === 'bigint') return a + b;
  throw mixed('sum', a, b);
}

/** Numbers as Math.min has them, so that NaN wins whatever the order. */
function minOf(a: unknown, b: unknown): unknown {
  if (typeof a === 'number' && typeof b === 'number') return Math.min(a, b);
  if (typeof a === 'bigint' && typeof b === 'bigint') return b < a ? b : a;
  if (typeof a === 'string' && typeof b === 'string') return b < a ? b : a;
  throw mixed('min', a, b);
}

function maxOf(a: unknown, b: unknown): unknown {
  if (typeof a === 'number' && typeof b === 'number') return Math.max(a, b);
  if (typeof a === 'bigint' && typeof b === 'bigint') return b > a ? b : a;
  if (typeof a === 'string' && typeof b === 'string') return b > a ? b : a;
  throw mixed('max', a, b);
}

/** States are arrays of at most `k` values, the largest first. */
function topKState(k: number | undefined): AggregatorState {
  if (k === undefined) throw new MillraceError('invalid-argument', 'topK needs the number of values to keep');
  return {
    lift(value) {
      compareRanked(value, value);
      return [value];
    },
    merge: (a, b) => mergeRanked(a as unknown[], b as unknown[], k),
  };
}

function mergeRanked(a: readonly unknown[], b: readonly unknown[], k: number): readonly unknown[] {
  if (a.length === k && compareRanked(a[k - 1], b[0]) >= 0) return a;
  const merged: unknown[] = [];
  let atA = 0;
  let atB = 0;
  while (merged.length < k && (atA < a.length || atB < b.length)) {
    const isA = atB >= b.length || (atA < a.length && compareRanked(a[atA], b[atB]) >= 0);
    merged.push(isA ? a[atA++] : b[atB++]);
  }
  return merged;
}

/** A total order, so that which values are kept does not depend on how they are grouped: NaN is above all numbers, -0 below 0. */
function compareRanked(a: unknown, b: unknown): number {
  if (typeof a === 'number' && typeof b === 'number') return compareNumbers(a, b);
  if ((typeof a === 'string' && typeof b === 'string') || (typeof a === 'bigint' && typeof b === 'bigint'))
    return a < b ? -1 : a > b ? 1 : 0;
  if (Array.isArray(a) && Array.isArray(b)) return compareTuples(a, b);
  if (typeof a !== typeof b || Array.isArray(a) !== Array.isArray(b)) throw mixed('topK', a, b);
  checkType('topK', a, 'number', 'bigint', 'string', 'tuple of them');
  return 0;
}

function compareNumbers(a: number, b: number): number {
  if (Object.is(a, b)) return 0;
  if (Number.isNaN(a) || Number.isNaN(b)) return Number.isNaN(a) ? 1 : -1;
  return a - b || (Object.is(a, -0) ? -1 : 1);
}

function compareTuples(a: readonly unknown[], b: readonly unknown[]): number {
  for (let index = 0; index < Math.min(a.length, b.length); index++) {
    const order = compareRanked(a[index], b[index]);
    if (order !== 0) return order;
  }
  return a.length - b.length;
}
