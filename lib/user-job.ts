/**
 * What `defineJob` returns, with the types erased: the shape that a loaded bundle must export by default, as the worker,
 * the bundler and the checks at submit see it. The typed face of the same object is sdk/define-job.ts.
 */
import type { AggregatorData } from './aggregator.ts';
import type { InputFormat, OutputFormat } from './formats.ts';
import type { ParamValue } from './job-spec.ts';

/** Marks the object across copies of this package: a bundle carries its own. */
export const userJobVersion = 1;

export interface UserCounter {
  add(n?: number): void;
}

/** Passed as the last argument to every user function; one object per task attempt. */
export interface UserContext {
  readonly params: Readonly<Record<string, ParamValue>>;
  /** Totals over accepted attempts only, whatever is rerun. */
  counter(name: string): UserCounter;
  /** One line in the log of this attempt (`millrace logs`). */
  log(...args: unknown[]): void;
  /** Where the current record starts; on the reduce side `{ uri: '', offset: 0 }`. */
  readonly source: { readonly uri: string; readonly offset: number };
  /** `m12`, `r3`. */
  readonly task: string;
  /** From 0. */
  readonly attempt: number;
  /** Aborts when the attempt is cancelled. */
  readonly signal: AbortSignal;
}

type Pairs = Iterable<readonly [unknown, unknown]> | AsyncIterable<readonly [unknown, unknown]>;
type Records = Iterable<unknown> | AsyncIterable<unknown>;

export interface UserJob {
  readonly millraceJob: typeof userJobVersion;
  /** URL of the job file on the submitter's machine; meaningless inside a bundle. */
  readonly source: string;
  readonly name: string;
  readonly input: InputFormat;
  readonly output: OutputFormat;
  /** Defaults; their types are what `--param` values are read as. */
  readonly params: Readonly<Record<string, ParamValue>>;
  /** At most one of `map` and `mapEmit`. With neither, a record that is an array of two is a pair, any other the key of `null`. */
  readonly map?: (record: unknown, ctx: UserContext) => Pairs;
  readonly mapEmit?: (
    record: unknown,
    emit: (key: unknown, value: unknown) => void,
    ctx: UserContext,
  ) => void | Promise<void>;
  readonly combine?:
    | AggregatorData
    | ((key: unknown, values: Iterable<unknown>, ctx: UserContext) => Iterable<readonly [unknown, unknown]>);
  /** Missing: identity, each pair is an output record `[key, value]`. */
  readonly reduce?: AggregatorData | ((key: unknown, values: Iterable<unknown>, ctx: UserContext) => Records);
  /** Missing: the frozen hash. `{ kind: 'range' }`: sampled total order. */
  readonly partition?:
    | { readonly kind: 'hash' }
    | { readonly kind: 'range' }
    | ((key: unknown, partitions: number) => number);
  readonly setup?: (ctx: UserContext) => void | Promise<void>;
  readonly teardown?: (ctx: UserContext) => void | Promise<void>;
  /** The job's own defaults; the submit options win. */
  readonly reducers?: number;
  readonly splitBytes?: number;
}

export function isUserJob(value: unknown): value is UserJob {
  return (
    typeof value === 'object' &&
    value !== null &&
    (value as { millraceJob?: unknown }).millraceJob === userJobVersion
  );
}
