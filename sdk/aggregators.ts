/** The built-in aggregators, for `combine` and `reduce`. Objects, so that the data path runs them without calling user code. */
import type { AggregatorOp } from '../lib/aggregator.ts';
import { jobFileError } from './job-file-error.ts';
import type {
  Aggregator,
  ArrayOfValue,
  CountAggregator,
  FoldOfValue,
  Ranked,
  SameAsValue,
  SumOfValue,
} from './job-types.ts';

function builtIn<Op extends AggregatorOp>(op: Op): { readonly kind: 'aggregator'; readonly op: Op } {
  return Object.freeze({ kind: 'aggregator', op });
}

/** Adds numbers (or bigints, never both). */
export const sum: Aggregator<number | bigint, SumOfValue> = /* @__PURE__ */ builtIn('sum');

/** How many values a key has, whatever they are. As `combine` it counts each value once, however often combining happens. */
export const count: CountAggregator = /* @__PURE__ */ builtIn('count');

/** The smallest of numbers, bigints or strings (by `<`), not mixed. */
export const min: Aggregator<number | bigint | string, SameAsValue> = /* @__PURE__ */ builtIn('min');

/** The largest of numbers, bigints or strings (by `>`), not mixed. */
export const max: Aggregator<number | bigint | string, SameAsValue> = /* @__PURE__ */ builtIn('max');

/** The first value in the order of the input: by map task, then by position. */
export const first: Aggregator<unknown, SameAsValue> = /* @__PURE__ */ builtIn('first');

/**
 * The `k` largest values of a key (all, if it has fewer), as an array, the largest first. Values are numbers, bigints, strings (by `<`), or
 * tuples of them, compared item by item: `[count, word]` gives the words with the highest counts. `combine` takes the same `topK(k)`.
 */
export function topK(k: number): Aggregator<Ranked, ArrayOfValue> {
  if (!Number.isSafeInteger(k) || k < 1)
    throw jobFileError(`topK(k): expected a whole number from 1, got ${String(k)}`);
  return Object.freeze({ kind: 'aggregator', op: 'topK', k });
}

/** Merges two values at a time. `merge` must be associative: it is given partial results, in the order of the input. */
export function fold<V>(merge: (a: V, b: V) => V): Aggregator<V, FoldOfValue<V>> {
  return Object.freeze({ kind: 'aggregator', op: 'fold', merge });
}
