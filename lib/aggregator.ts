/**
 * Built-in aggregators as data: objects, not functions, so that TypeScript infers a union with a generator method, and so
 * that the data path can run them on bytes without calling user code.
 *
 * An aggregator lifts each value once into a state and then merges states in order; applying it again to states only merges.
 * So `combine: count` turns every group of values into its number exactly once however often combining happens.
 */
import { MillraceError } from './errors.ts';

export type AggregatorOp = 'sum' | 'count' | 'min' | 'max' | 'first' | 'fold';

export interface AggregatorData {
  readonly kind: 'aggregator';
  readonly op: AggregatorOp;
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
