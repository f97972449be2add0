/**
 * The types of a job: what flows from `input` through `map`, `combine` and `reduce` to the output records.
 *
 * How inference works, for whoever changes this. The pair that `map` yields (or the annotated `emit` of `mapEmit` takes) is the only
 * place K and V are inferred from: every other mention is wrapped in NoInfer. Without either they follow from the record; that there is
 * none is seen from the names of the options, which TypeScript knows before it looks into functions. It is one type parameter, a tuple, and not two, so that
 * several `yield`s of different shapes make a union instead of an error. It has no constraint with primitives, so that `yield [word, 1]`
 * gives `number` and not `1`. Its default is a pair of `any`, because TypeScript first checks the properties that need no context
 * (`reduce: sum`) before it has looked at `map`: whatever they are must fit then, and when one of them is wrong, only that one
 * shall be reported.
 */
import type { AggregatorData } from '../lib/aggregator.ts';
import type { Key } from '../lib/codec/key-codec.ts';
import type { InputFormat, OutputFormat } from '../lib/formats.ts';
import type { ParamValue } from '../lib/job-spec.ts';
import type { UserContext, UserJob } from '../lib/user-job.ts';

export type { Key };

/** Side parameters by name; from `--param k=v`, read as the type of the job's default. */
export type Params = Readonly<Record<string, ParamValue>>;

/** `''` is a default, not the only value there is: literal types become the types they belong to. */
export type WidenParams<P> = {
  readonly [Name in keyof P]: P[Name] extends string ? string : P[Name] extends number ? number : boolean;
};

/** What every function of a job gets as its last argument. One object per task attempt. */
export interface Context<P = Params> extends Omit<UserContext, 'params'> {
  /** The job's defaults, overridden at submit. Frozen. */
  readonly params: P;
}

/** Annotate the second parameter of `mapEmit` with it: `emit: Emit<string, number>`. */
export type Emit<K, V> = (key: K, value: V) => void;

declare const recordType: unique symbol;
declare const aggregates: unique symbol;
declare const jobTypes: unique symbol;

/** A format that can be read; `map` gets records of type R. */
export interface Input<out R> {
  readonly input: InputFormat;
  readonly [recordType]?: () => R;
}

/** A format that can be written. */
export interface Output {
  readonly output: OutputFormat;
}

/** Marks of what an aggregator makes of values of type V: V itself, the sum of it, or what its function returns. */
export interface SameAsValue {
  readonly __result: 'value';
}
export interface SumOfValue {
  readonly __result: 'sum';
}
export interface ArrayOfValue {
  readonly __result: 'array';
}
export interface FoldOfValue<out V> {
  readonly __result: 'fold';
  readonly __value: V;
}

/** Takes values of type V and makes a W (or what a mark says) of them. */
export interface Aggregator<in V, out W> extends AggregatorData {
  readonly [aggregates]?: (value: V) => W;
}

/** What `topK` can put in order. */
export type Ranked = number | bigint | string | readonly Ranked[];

/** `count`: apart, because it is also a combiner of values of any type when the reduce counts as well. */
export interface CountAggregator extends Aggregator<unknown, number> {
  readonly op: 'count';
}

/** What the output records are when nothing else is said. */
export interface NotGiven {
  readonly __result: 'not given';
}

type AggregateOf<V, W> = W extends SameAsValue
  ? V
  : W extends SumOfValue
    ? SumOf<V>
    : W extends ArrayOfValue
      ? readonly V[]
      : W extends FoldOfValue<infer F>
        ? F
        : W;
type SumOf<V> = [V] extends [bigint] ? bigint : number;

/** The output record: what the reduce generator yields (Y), or the pair that an aggregator (W) or no reduce at all leaves. */
export type OutputRecord<K, V, W, Y> = [W] extends [NotGiven]
  ? [Y] extends [never]
    ? never
    : [Y] extends [NotGiven]
      ? readonly [K, V]
      : Y
  : readonly [K, AggregateOf<V, W>];

/** V when it can be sent, else something that V is not. Checked, not used as a type of a value. */
type Encodable<V> = V extends string | number | boolean | bigint | null | undefined | Date | Uint8Array
  ? V
  : V extends ((...args: never[]) => unknown) | symbol | ReadonlyMap<unknown, unknown> | ReadonlySet<unknown>
    ? NotEncodable
    : V extends object
      ? { [Name in keyof V]: Encodable<V[Name]> }
      : V;
interface NotEncodable {
  readonly __notEncodable: never;
}

/** The pair that a record is when a job has neither `map` nor `mapEmit`: itself if it is an array of two, else the key of nothing. */
export type IdentityPair<R> = R extends readonly [infer K, infer V]
  ? readonly [K, V]
  : R extends readonly (infer Field)[]
    ? number extends R['length']
      ? readonly [R, null] | readonly [Field, Field]
      : readonly [R, null]
    : readonly [R, null];

/** What `defineJob` infers of its options before it looks into their functions: which of them are there. */
export type OptionName = keyof JobDefinition<unknown, readonly [unknown, unknown], unknown, unknown, unknown>;

/** K and V of a job: what its map yields, or what its records are. */
export type PairOf<R, Mapped extends readonly [unknown, unknown], Names> = [
  Extract<Names, 'map' | 'mapEmit'>,
] extends [never]
  ? IdentityPair<R>
  : Mapped;

/** `unknown` (fits every definition) when pairs can be sent; else an object whose missing property is the message. */
export type CheckPair<Pair extends readonly [unknown, unknown]> = [Pair[0]] extends [Key]
  ? unknown extends Pair[1]
    ? unknown
    : undefined extends Pair[1]
      ? { readonly 'error: a value must not be undefined; use null': Pair[1] }
      : [Pair[1]] extends [Encodable<Pair[1]>]
        ? unknown
        : {
            readonly 'error: values are JSON-like data, Uint8Array, bigint or Date; no functions, symbols, Map or Set': Pair[1];
          }
  : {
      readonly 'error: a key is a string, number, bigint, boolean, Uint8Array or a tuple of them': Pair[0];
    };

type Combiner<K, V, W, C> =
  | Aggregator<V, SameAsValue | SumOfValue | FoldOfValue<V>>
  | CountCombiner<V, W>
  | TopCombiner<V, W>
  | ((key: K, values: Iterable<V>, ctx: C) => Iterable<readonly [K, V]>);

/** Counts replace the values they are counts of: fine for numbers, and for any value when the reduce counts too. */
type CountCombiner<V, W> = [V] extends [number]
  ? CountAggregator
  : [W] extends [number]
    ? CountAggregator
    : never;

/** Leaves arrays of values, which only the reduce of the same kind takes. */
type TopCombiner<V, W> = [W] extends [ArrayOfValue] ? Aggregator<V, ArrayOfValue> : never;

/** What `defineJob` takes. Write `map` before `combine` and `reduce`, and as methods (`*map(line) {…}`): inference reads from left to right. */
export interface JobDefinition<
  R,
  Pair extends readonly [unknown, unknown],
  W,
  Y,
  P,
  Mapped extends readonly [unknown, unknown] = Pair,
> {
  /** For people: lists, logs, the status page. */
  name: string;
  /** Default `lines()`. */
  input?: Input<R>;
  /** Default `tsv()`. */
  output?: Output;
  /** Side parameters with their defaults. */
  params?: P;
  /** Without `map` and `mapEmit` a record that is an array of two is a pair, any other the key of `null`. */
  map?(record: NoInfer<R>, ctx: Context<WidenParams<NoInfer<P>>>): Iterable<Mapped> | AsyncIterable<Mapped>;
  /** Instead of `map`: a callback and no generator, about a third faster where little else is done. */
  mapEmit?(
    record: NoInfer<R>,
    emit: (...pair: Mapped) => void,
    ctx: Context<WidenParams<NoInfer<P>>>,
  ): void | Promise<void>;
  /** Runs on the map side, none to many times over the values of a key; must be associative. */
  combine?: Combiner<NoInfer<Pair[0]>, NoInfer<Pair[1]>, NoInfer<W>, Context<WidenParams<NoInfer<P>>>>;
  /** Missing: each pair is an output record. */
  reduce?:
    | Aggregator<NoInfer<Pair[1]>, W>
    | ((
        key: NoInfer<Pair[0]>,
        values: Iterable<NoInfer<Pair[1]>>,
        ctx: Context<WidenParams<NoInfer<P>>>,
      ) => Iterable<Y> | AsyncIterable<Y>);
  /** `hashPartition` (default), `rangePartition()` (total order), or a function that gives an integer in [0, partitions). */
  partition?: RangePartition | ((key: NoInfer<Pair[0]>, partitions: number) => number);
  /** Once per task attempt, before the first record. */
  setup?(ctx: Context<WidenParams<NoInfer<P>>>): void | Promise<void>;
  /** Once per task attempt, after the last record; not when the attempt failed. */
  teardown?(ctx: Context<WidenParams<NoInfer<P>>>): void | Promise<void>;
  /** How many partitions, and so output files; 0 is a map-only job. Options at submit win. */
  reducers?: number;
  /** Wanted bytes per map task: 67108864 or '64MiB'. Options at submit win. */
  splitSize?: number | string;
}

/** What `rangePartition()` gives. */
export interface RangePartition {
  readonly kind: 'range';
}

/**
 * A job: records R in, pairs K and V between map and reduce, records Out at the end, parameters P. At run time it is the plain
 * {@link UserJob}; the types ride along so that `result()` and the test helpers know them.
 */
export interface Job<out R = unknown, out K = unknown, out V = unknown, out Out = unknown, out P = unknown>
  extends UserJob {
  readonly [jobTypes]?: () => { record: R; key: K; value: V; output: Out; params: P };
}

/** The output records of a job type: `OutputOf<typeof job>`. */
export type OutputOf<J> = J extends Job<unknown, unknown, unknown, infer Out, unknown> ? Out : never;
