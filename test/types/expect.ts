/** Assertions about types, checked by the compiler; they have no body because nothing of this is run. */
import type { Job } from 'millrace';

/** Exact equality: `any` equals only `any`, and readonly and optional count. */
export type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

/** No further argument is asked for when the types are equal, else an impossible one. */
type Verdict<A, B> = Equal<A, B> extends true ? [] : [differs: { expected: A; actual: B } & never];

/** `exactly<Hit>()(hit)` compiles when the type of `hit` is Hit and nothing else. */
export declare function exactly<Expected>(): <Actual>(
  value: Actual,
  ...verdict: Verdict<Expected, Actual>
) => void;

/** The same about the output records of a job, as whoever reads its result sees them. */
export declare function outputs<Expected>(): <Actual>(
  job: Job<unknown, unknown, unknown, Actual>,
  ...verdict: Verdict<Expected, Actual>
) => void;
