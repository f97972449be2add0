/**
 * Built-in aggregators as data: objects, not functions, so that TypeScript infers a union with a generator method, and so
 * that the data path can run them on bytes without calling user code.
 *
 * An aggregator lifts each value once into a state and then merges states in order; applying it again to states only merges.
 * So `combine: count` turns every group of values into its number exactly once however often combining happens.
 */

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
